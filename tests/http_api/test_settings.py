"""What the adapter refuses to be configured with."""

import pytest

from recording_service.http_api import HttpSettings


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "recordings.example.com",
        "ftp://recordings.example.com",
        "https://",
        "https://user:pw@recordings.example.com",
        "https://recordings.example.com/?a=b",
        "https://recordings.example.com/#x",
    ],
)
def test_an_address_that_no_signature_could_match_is_refused(public_url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        HttpSettings(grpc_target="127.0.0.1:1", public_url=public_url)


@pytest.mark.parametrize("origin", ["*", "null", "https://app.example.com/", "app.example.com", "https://"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        HttpSettings(grpc_target="127.0.0.1:1", public_url="https://x.example.com", cors_origins=frozenset({origin}))


def test_tokens_don_t_show_in_a_log() -> None:
    settings = HttpSettings(
        grpc_target="127.0.0.1:1", public_url="https://x.example.com", auth_tokens={"AC1": ("the-token",)}
    )
    assert "the-token" not in repr(settings)

"""Signing in to the console."""

import json
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any

import grpc
import pytest

from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import Failure, FakeRecordings
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, running_app

TOKEN = "a-callers.token_1"
UNAUTHENTICATED = Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


@pytest.fixture
def guarded(settings: Settings, recordings: FakeRecordings) -> Iterator[Client]:
    with running_app(settings(requires_credentials=True, grpc_token="own")) as client:
        recordings.asked.clear()
        yield client


def sign_in(client: Client, body: Any = None, **changed: str | None) -> Answer:
    """Signs in as the console's page does, but for what is changed."""
    fields: dict[str, str | None] = {
        "Content-Type": "application/json",
        "Origin": PUBLIC_URL,
        "Sec-Fetch-Site": "same-origin",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    sent: Mapping[str, str] = {name: value for name, value in fields.items() if value is not None}
    content = body if isinstance(body, bytes) else json.dumps({"token": TOKEN} if body is None else body).encode()
    return client.request("POST", "/session", sent, content)


def cookie_of(answer: Answer) -> Any:
    """The one cookie that an answer sets."""
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    ((_, morsel),) = cookies.items()
    return morsel


def test_a_token_that_the_service_knows_opens_a_session(guarded: Client, recordings: FakeRecordings) -> None:
    answer = sign_in(guarded)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    (call,) = recordings.asked
    assert (call.method, call.metadata["authorization"]) == ("ListRecordings", f"Bearer {TOKEN}")
    assert call.request.page_size == 1


def test_the_cookie_is_for_this_site_alone_and_no_script_can_read_it(guarded: Client) -> None:
    cookie = cookie_of(sign_in(guarded))

    assert (cookie.key, cookie.value) == ("__Host-recording_session", TOKEN)
    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("strict", "/", "")
    assert int(cookie["max-age"]) == 12 * 3600


def test_on_plain_http_it_goes_without_tls(settings: Settings, recordings: FakeRecordings) -> None:
    public_url = "http://127.0.0.1:8080"
    with running_app(settings(requires_credentials=True, public_url=public_url)) as client:
        cookie = cookie_of(sign_in(client, Origin=public_url))

    assert (cookie.key, cookie["secure"], cookie["samesite"]) == ("recording_session", "", "strict")


def test_a_token_that_nobody_has_is_refused(guarded: Client, recordings: FakeRecordings) -> None:
    recordings.answers["ListRecordings"] = [UNAUTHENTICATED]

    answer = sign_in(guarded)

    assert (answer.status, answer.json()["reason"]) == (401, "UNAUTHENTICATED")
    assert "Set-Cookie" not in answer.headers


def test_a_token_that_may_not_read_opens_nothing(guarded: Client, recordings: FakeRecordings) -> None:
    recordings.answers["ListRecordings"] = [Failure(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")]

    answer = sign_in(guarded)

    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_another_sites_page_can_neither_sign_in_nor_out(
    guarded: Client, recordings: FakeRecordings, method: str, changed: dict[str, str | None]
) -> None:
    fields = {"Origin": PUBLIC_URL, **{name.replace("_", "-"): value for name, value in changed.items()}}
    sent = {name: value for name, value in fields.items() if value is not None}
    answer = sign_in(guarded, **changed) if method == "POST" else guarded.request(method, "/session", sent)

    assert (answer.status, answer.json()["reason"]) == (403, "CROSS_SITE_REQUEST")
    assert "Set-Cookie" not in answer.headers
    assert recordings.asked == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 4000, 400),
        (b"\xff", 400),
        (b"[]", 400),
        ({}, 400),
        ({"token": 1}, 400),
        ({"token": ""}, 400),
        ({"token": "a b"}, 400),
        ({"token": "a\nb"}, 400),
        ({"token": "a;b"}, 400),
        ({"token": "x" * 513}, 400),
        ({"token": "x" * 5000}, 413),
    ],
)
def test_what_is_no_sign_in_is_refused_and_nobody_is_asked(
    guarded: Client, recordings: FakeRecordings, body: Any, status: int
) -> None:
    answer = sign_in(guarded, body)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert recordings.asked == []


def test_a_form_is_no_sign_in(guarded: Client) -> None:
    assert sign_in(guarded, b"token=x", Content_Type="application/x-www-form-urlencoded").status == 415


def test_signing_out_takes_the_cookie_away(guarded: Client) -> None:
    answer = guarded.request("DELETE", "/session", {"Origin": PUBLIC_URL})

    assert answer.status == 204
    gone = answer.headers.get_all("Set-Cookie") or []
    assert [field.partition("=")[0] for field in gone] == ["__Host-recording_session", "recording_session"]
    assert all("Max-Age=0" in field for field in gone)


@pytest.mark.parametrize(
    ("cookie", "answers", "is_open"),
    [
        (None, [], False),
        ("__Host-recording_session=token", [], True),
        ("recording_session=token", [], False),
        ("__Host-recording_session=token", [UNAUTHENTICATED], False),
        ("__Host-recording_session=a b", [], False),
    ],
)
def test_the_page_is_told_whether_one_has_to_sign_in(
    guarded: Client, recordings: FakeRecordings, cookie: str | None, answers: list[Failure], is_open: bool
) -> None:
    recordings.answers["ListRecordings"] = answers

    answer = guarded.request("GET", "/session", {} if cookie is None else {"Cookie": cookie})

    assert (answer.status, answer.json()) == (200, {"required": True, "open": is_open})
    assert answer.headers["Cache-Control"] == "no-store"


def test_where_no_credential_is_configured_nobody_has_to(client: Client) -> None:
    assert client.get("/session").json() == {"required": False, "open": False}


def test_other_methods_are_not_allowed(guarded: Client) -> None:
    answer = guarded.request("PUT", "/session")

    assert (answer.status, answer.headers["Allow"]) == (405, "DELETE, GET, HEAD, POST")

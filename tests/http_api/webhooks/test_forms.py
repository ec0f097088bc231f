"""forms.py: a body is read exactly, or refused."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.http_api.webhooks.forms import Form

PAIRS = st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), min_size=1, max_size=8)


def _encodable(pairs: list[tuple[str, str]]) -> bool:
    return not any("\ud800" <= character <= "\udfff" for pair in pairs for character in "".join(pair))


@given(PAIRS.filter(_encodable))
def test_every_pair_is_kept_as_it_is(pairs: list[tuple[str, str]]) -> None:
    form = Form.parse(urlencode(pairs).encode())
    assert list(form) == [name for name, _ in pairs]
    for name, _ in pairs:
        assert form.getall(name) == [value for key, value in pairs if key == name]


def test_blank_values_duplicates_and_white_space_are_kept() -> None:
    form = Form.parse(b"a=&b=+x+&a=%20&c")
    assert form.getall("a") == ["", " "]
    assert form.getall("b") == [" x "]
    assert form.getall("c") == [""]
    assert form.getall("d") == []


@pytest.mark.parametrize("body", [b"", b"&&", b"a=%", b"a=%4", b"a=%zz", b"%G0=1", b"a=%ff", b"a=\xff", b"a=%ed%a0%80"])
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Form.parse(body)

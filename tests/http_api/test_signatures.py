"""signatures.py: Twilio's published vectors, its own package as the oracle, and the pitfalls of twilio.md A2."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from recording_service.http_api.forms import Form
from recording_service.http_api.signatures import SignatureCheck, Verdict

ACCOUNT = "AC" + "0a" * 16
OTHER = "AC" + "0b" * 16
URL = "https://recordings.example.com"
TOKEN = "token"
PATH = b"/webhooks/twilio/recording-status"


def _form(*pairs: tuple[str, str]) -> Form:
    return Form((("AccountSid", ACCOUNT), *pairs))


def _check(*tokens: str, public_url: str = URL) -> SignatureCheck:
    return SignatureCheck(public_url, {ACCOUNT: tokens}, allow_unsigned=False)


def _signature(form: Form, token: str = TOKEN, url: str = URL + PATH.decode()) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


@pytest.mark.parametrize(
    ("host", "pairs", "signature"),
    [
        (
            "https://example.com",
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+14158675310",
                "Digits": "1234",
                "From": "+14158675310",
                "To": "+18005551212",
            },
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        ),
        (
            "https://mycompany.com",
            {
                "CallSid": "CA1234567890ABCDE",
                "Digits": "1234",
                "From": "+14158675309",
                "To": "+18005551212",
                "Caller": "+14158675309",
            },
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
    ],
)
def test_published_vectors_are_reproduced_from_the_wire(host: str, pairs: dict[str, str], signature: str) -> None:
    form = Form.parse(urlencode(pairs).encode())
    assert RequestValidator("12345").validate(f"{host}/myapp.php?foo=1&bar=2", form, signature)


def test_the_published_vector_with_duplicates_is_reproduced() -> None:
    form = Form.parse(b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234")
    assert RequestValidator("12345").validate(
        "https://mycompany.com/myapp.php?foo=1&bar=2", form, "IK+Dwps556ElfBT0I3Rgjkr1wJU="
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6), st.binary(max_size=20).map(lambda raw: urlencode({"q": raw})))
def test_what_twilio_signs_is_genuine_and_a_changed_byte_is_not(pairs: list[tuple[str, str]], query: str) -> None:
    form = _form(*((name, value) for name, value in pairs if name != "AccountSid"))
    url = f"{URL}{PATH.decode()}?{query}"
    signature = _signature(form, url=url)
    check = _check("token")
    assert check.verify(PATH, query.encode(), form, [signature]) is Verdict.GENUINE
    assert check.verify(PATH, query.encode() + b"x", form, [signature]) is Verdict.FORGED
    # Behind every other name, so that it lengthens the signed string at its end.
    longer = Form((*((name, value) for name in form for value in form.getall(name)), ("\U0010ffff" * 9, "x")))
    assert check.verify(PATH, query.encode(), longer, [signature]) is Verdict.FORGED


@pytest.mark.parametrize(
    "query",
    [
        b"b=2&a=1",
        b"a=%7Euser&b=a%20b&c=a+b",
        b"x='@:",
        b"tenant=7",
        b"empty=&empty",
        b"a=%c3%a9",
    ],
)
def test_the_query_is_signed_as_it_came(query: bytes) -> None:
    form = _form(("Blank", ""), ("Space", " x "))
    signature = _signature(form, url=f"{URL}{PATH.decode()}?{query.decode()}")
    assert _check("token").verify(PATH, query, form, [signature]) is Verdict.GENUINE


@pytest.mark.parametrize("public_url", [URL + ":8443", URL + ":443", "http://recordings.example.com:8080"])
def test_the_port_may_be_signed_or_left_out(public_url: str) -> None:
    form = _form()
    with_port = _signature(form, url=public_url + PATH.decode())
    without = _signature(form, url=public_url.rpartition(":")[0] + PATH.decode())
    check = _check("token", public_url=public_url)
    assert check.verify(PATH, b"", form, [with_port]) is Verdict.GENUINE
    assert check.verify(PATH, b"", form, [without]) is Verdict.GENUINE


def test_the_public_url_may_have_a_path_and_a_trailing_slash() -> None:
    form = _form()
    signature = _signature(form, url=f"{URL}/voice{PATH.decode()}")
    assert _check("token", public_url=f"{URL}/voice/").verify(PATH, b"", form, [signature]) is Verdict.GENUINE


def test_either_token_of_a_rotation_is_accepted() -> None:
    form = _form()
    check = _check("old", "new")
    assert check.verify(PATH, b"", form, [_signature(form, "old")]) is Verdict.GENUINE
    assert check.verify(PATH, b"", form, [_signature(form, "new")]) is Verdict.GENUINE
    assert check.verify(PATH, b"", form, [_signature(form, "other")]) is Verdict.FORGED


@pytest.mark.parametrize("signatures", [[], [""], ["nonsense"], ["ÿ" * 28], ["{genuine}", "{genuine}"]])
def test_anything_but_one_right_signature_is_forged(signatures: list[str]) -> None:
    form = _form()
    sent = [each.format(genuine=_signature(form)) for each in signatures]
    assert _check("token").verify(PATH, b"", form, sent) is Verdict.FORGED


def test_an_empty_token_never_counts() -> None:
    form = _form()
    signed_with_nothing = _signature(form, "")
    assert _check("", "token").verify(PATH, b"", form, [signed_with_nothing]) is Verdict.FORGED
    # With nothing but empty tokens nothing is configured, so nothing is believed.
    assert _check("", " ").verify(PATH, b"", form, [signed_with_nothing]) is Verdict.UNCONFIGURED


def test_each_account_has_its_own_tokens() -> None:
    check = SignatureCheck(URL, {ACCOUNT: ("one",), OTHER: ("two",)}, allow_unsigned=True)
    ours = _form()
    theirs = Form((("AccountSid", OTHER),))
    assert check.verify(PATH, b"", ours, [_signature(ours, "two")]) is Verdict.FORGED
    assert check.verify(PATH, b"", theirs, [_signature(theirs, "two")]) is Verdict.GENUINE
    stranger = Form((("AccountSid", "AC" + "0c" * 16),))
    assert check.verify(PATH, b"", stranger, [_signature(stranger, "one")]) is Verdict.FORGED


def test_several_account_sids_belong_to_nobody() -> None:
    check = SignatureCheck(URL, {ACCOUNT: ("one",), OTHER: ("two",)}, allow_unsigned=False)
    both = _form(("AccountSid", OTHER))
    assert check.verify(PATH, b"", both, [_signature(both, "one")]) is Verdict.FORGED
    none = Form((("a", "b"),))
    assert check.verify(PATH, b"", none, [_signature(none, "one")]) is Verdict.FORGED


def test_what_can_not_be_checked_is_forged() -> None:
    form = _form()
    # Not ASCII, so no address that anyone signed.
    assert _check("token").verify(b"/\xff", b"", form, [_signature(form)]) is Verdict.FORGED
    # The validator itself raises on a port like this.
    broken = _check("token", public_url="https://recordings.example.com:port")
    assert broken.verify(PATH, b"", form, [_signature(form)]) is Verdict.FORGED


def test_the_check_is_on_as_soon_as_one_token_is_configured() -> None:
    form = _form()
    unsigned = SignatureCheck(URL, {}, allow_unsigned=True)
    assert unsigned.accepts_unsigned
    assert unsigned.verify(PATH, b"", form, []) is Verdict.GENUINE
    checked = SignatureCheck(URL, {OTHER: ("token",)}, allow_unsigned=True)
    assert not checked.accepts_unsigned
    assert checked.verify(PATH, b"", form, []) is Verdict.FORGED
    refusing = SignatureCheck(URL, {}, allow_unsigned=False)
    assert refusing.verify(PATH, b"", form, [_signature(form)]) is Verdict.UNCONFIGURED

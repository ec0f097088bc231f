"""signatures.py: Twilio's published vectors, its own package as the oracle, and the pitfalls of twilio.md A2."""

import base64
from collections.abc import Callable, Sequence
from hashlib import sha1
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from recording_service.http_api.webhooks.forms import Form
from recording_service.http_api.webhooks.signatures import (
    SignatureCheck,
    Verdict,
    is_signature,
    signed_parameters,
    spellings,
)

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
    assert is_signature(signature, "12345", f"{host}/myapp.php?foo=1&bar=2{signed_parameters(form)}")


def test_the_published_vector_with_duplicates_is_reproduced() -> None:
    form = Form.parse(b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234")
    text = f"https://mycompany.com/myapp.php?foo=1&bar=2{signed_parameters(form)}"
    assert is_signature("IK+Dwps556ElfBT0I3Rgjkr1wJU=", "12345", text)


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
    # No address with a port like this was ever called.
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


# Against Twilio's algorithm, written down once more and by itself

Pairs = Sequence[tuple[str, str]]


def reference_text(url: str, pairs: Pairs) -> bytes:
    """What Twilio signs: the URL, then each name and value, by the bytes of the name; equal pairs count once."""
    signed = url.encode()
    for name, value in sorted({(name.encode(), value.encode()) for name, value in pairs}):
        signed += name + value
    return signed


def reference_signature(token: str, url: str, pairs: Pairs) -> str:
    """HMAC-SHA1 by the block (RFC 2104), in Base64."""
    key = token.encode().ljust(64, b"\0")
    inner = sha1(bytes(byte ^ 0x36 for byte in key) + reference_text(url, pairs)).digest()  # noqa: S324 - Twilio's
    return base64.b64encode(sha1(bytes(byte ^ 0x5C for byte in key) + inner).digest()).decode()  # noqa: S324


def dropped(pairs: Pairs, at: int) -> Pairs:
    return [*pairs[:at], *pairs[at + 1 :]]


def altered(pairs: Pairs, at: int) -> Pairs:
    name, value = pairs[at]
    return [*pairs[:at], (name, value + "x"), *pairs[at + 1 :]]


def renamed(pairs: Pairs, at: int) -> Pairs:
    name, value = pairs[at]
    return [*pairs[:at], (name + "x", value), *pairs[at + 1 :]]


def duplicated(pairs: Pairs, at: int) -> Pairs:
    name, value = pairs[at]
    return [*pairs, (name, value + "x")]


def swapped(pairs: Pairs, at: int) -> Pairs:
    (name, value), (other, its) = pairs[at], pairs[at - 1]
    return [pair for pair in pairs if pair not in (pairs[at], pairs[at - 1])] + [(name, its), (other, value)]


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
FIELDS = st.lists(st.tuples(NAME.filter(lambda name: name != "AccountSid"), TEXT), max_size=6)
MUTATIONS = st.sampled_from([dropped, altered, renamed, duplicated, swapped])


@given(FIELDS, MUTATIONS, st.integers(0, 6), st.text("ab=&%~'", max_size=8), st.text("ab=&%~'", max_size=8))
def test_a_signed_form_is_genuine_and_any_mutation_of_it_is_forged(
    fields: Pairs, mutate: Callable[[Pairs, int], Pairs], at: int, query: str, other_query: str
) -> None:
    pairs = [("AccountSid", ACCOUNT), *fields]
    check = SignatureCheck(URL, {ACCOUNT: ("one", "older"), OTHER: ("two",)}, allow_unsigned=False)
    url = URL + PATH.decode() + (f"?{query}" if query else "")
    signature = reference_signature("one", url, pairs)

    def verdict(pairs: Pairs, query: str = query, signature: str = signature) -> Verdict:
        return check.verify(PATH, query.encode(), Form(tuple(pairs)), [signature])

    assert verdict(pairs) is Verdict.GENUINE
    assert verdict(pairs[::-1]) is Verdict.GENUINE
    assert verdict(pairs, signature=reference_signature("older", url, pairs)) is Verdict.GENUINE
    for stranger in ("two", "", "on", "one "):
        assert verdict(pairs, signature=reference_signature(stranger, url, pairs)) is Verdict.FORGED
    mutated = mutate(pairs, at % len(pairs))
    # Without delimiters some mutations are none to Twilio either.
    assume(reference_text(url, mutated) != reference_text(url, pairs))
    assert verdict(mutated) is Verdict.FORGED
    if other_query != query:
        assert verdict(pairs, query=other_query) is Verdict.FORGED


@given(FIELDS, st.sampled_from(["https://h.example", "http://h.example:8080", "https://h.example:8443/p"]), TEXT)
def test_what_twilios_own_package_signs_is_what_the_reference_signs(fields: Pairs, url: str, token: str) -> None:
    expected = RequestValidator(token).compute_signature(url, Form(tuple(fields)))
    assume(len(token.encode()) <= 64)
    assert reference_signature(token, url, fields) == expected


@pytest.mark.parametrize(
    ("url", "without", "with_port"),
    [
        ("https://h.example", "https://h.example", "https://h.example:443"),
        ("http://h.example/p", "http://h.example/p", "http://h.example:80/p"),
        ("HTTPS://H.example:8443/p;x?a=b#c", "HTTPS://H.example/p;x?a=b#c", "HTTPS://H.example:8443/p;x?a=b#c"),
        ("https://[2001:db8::1]:8443?", "https://[2001:db8::1]?", "https://[2001:db8::1]:8443?"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "https://[2001:db8::1]:443"),
    ],
)
def test_every_byte_but_the_port_stays(url: str, without: str, with_port: str) -> None:
    assert spellings(url) == (without, with_port)


@pytest.mark.parametrize(
    "url", ["", "h.example", "ftp://h.example", "https://", "https://u:p@h.example", "https://h:p"]
)
def test_what_is_no_address_of_a_server_has_no_other_spelling(url: str) -> None:
    assert spellings(url) == (url,)

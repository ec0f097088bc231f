import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from recording_service.twilio_stand_in.signature import signature, signed_form

SDK_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
VALUES = st.text(st.characters(codec="utf-8"), max_size=20)


class RepeatingForm(dict[str, list[str]]):
    """What web frameworks give the validator: a form whose parameters may be repeated."""

    def getall(self, name: str) -> list[str]:
        return self[name]


@pytest.mark.parametrize(
    ("url", "parameters", "expected"),
    [
        (
            "https://example.com/myapp.php?foo=1&bar=2",
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
            SDK_URL,
            {
                "To": "+18005551212",
                "From": "+14158675309",
                "Digits": "1234",
                "Caller": "+14158675309",
                "CallSid": "CA1234567890ABCDE",
            },
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            SDK_URL,
            {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["5678", "1234", "1234"]},
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ],
    ids=["documentation", "sdk", "repeated parameter"],
)
def test_the_published_vectors_are_met(url: str, parameters: dict[str, str | list[str]], expected: str) -> None:
    assert signature("12345", url, parameters) == expected


@settings(max_examples=200)
@given(token=st.text(min_size=1, max_size=32), form=st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3)))
def test_every_signature_is_accepted_by_twilios_validator(token: str, form: dict[str, list[str]]) -> None:
    assert RequestValidator(token).validate(SDK_URL, RepeatingForm(form), signature(token, SDK_URL, form))


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://host.example/hook?b=2&a=1#rc=5&rp=all", "https://host.example/hook?b=2&a=1"),
        ("https://host.example:8443/hook", "https://host.example/hook"),
        ("http://host.example:8080/hook", "http://host.example:8080/hook"),
        ("https://user:pass@host.example:8443/hook?q=a@b:c", "https://host.example/hook?q=a@b:c"),
        ("http://user:pass@host.example:8080/hook", "http://host.example:8080/hook"),
        ("https://[2001:db8::1]:8443/hook", "https://[2001:db8::1]/hook"),
        ("https://[2001:db8::1]/hook", "https://[2001:db8::1]/hook"),
        ("http://host.example", "http://host.example"),
        ("https://host.example/hook?", "https://host.example/hook?"),
        ("https://host.example/a%2fb/%C3%A9'?x=%7e+@:'&&=", "https://host.example/a%2fb/%C3%A9'?x=%7e+@:'&&="),
    ],
)
def test_the_signed_url_loses_fragment_userinfo_and_the_port_of_https_and_nothing_else(
    configured: str, signed: str
) -> None:
    assert signed_form(configured) == signed


@pytest.mark.parametrize("url", ["ftp://host.example/hook", "host.example/hook", ""])
def test_what_is_no_web_address_is_not_signed(url: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        signed_form(url)

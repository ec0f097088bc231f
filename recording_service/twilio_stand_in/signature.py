"""X-Twilio-Signature, computed as Twilio does (twilio.md A2), independently of the `twilio` package that checks it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

#: A form's parameters: a list stands for a parameter that is sent more than once.
Parameters = Mapping[str, str | Sequence[str]]

#: Split by hand: urllib's own functions drop a bare `?` and change other bytes, and every byte is signed.
URL_PARTS = re.compile(
    r"(?P<scheme>https?://)(?:[^/?]*@)?(?P<host>\[[^\]/?]*\]|[^:/?@]*)(?P<port>(?::\d*)?)(?P<rest>(?:[/?].*)?)",
    re.IGNORECASE,
)

#: The header that carries the signature.
SIGNATURE_HEADER = "X-Twilio-Signature"


def signature(auth_token: str, url: str, parameters: Parameters) -> str:
    """Signs a request: Base64 of HMAC-SHA1 over the URL and, sorted by name, each parameter's name and value.

    `url` is taken as it is (see `signed_form`). A parameter's repeated values are sorted and each is taken once.
    """
    text = url
    for name in sorted(parameters):
        text += "".join(name + value for value in sorted(set(values_of(parameters[name]))))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed_form(url: str) -> str:
    """The form of a configured URL that Twilio signs for voice.

    Without fragment and userinfo; https loses its port, http keeps it. Everything else stays byte for byte.
    """
    match = URL_PARTS.fullmatch(url.partition("#")[0])
    if match is None:
        raise ValueError("a webhook goes to an http or https URL")
    port = "" if match["scheme"].lower() == "https://" else match["port"]
    return match["scheme"] + match["host"] + port + match["rest"]


def values_of(value: str | Sequence[str]) -> Sequence[str]:
    """All values of a parameter that may be given once or several times."""
    return [value] if isinstance(value, str) else value

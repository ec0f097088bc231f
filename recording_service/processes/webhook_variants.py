"""What Twilio may have signed instead of what this service signs over: a pure search, by the differences there are.

Each part of an address has a value that this service takes, and others that proxies, frameworks and settings make of
it (twilio.md A2, pitfalls). What is yielded first differs least.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import product
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

from recording_service.http_api.webhooks.forms import Form
from recording_service.http_api.webhooks.signatures import signed_parameters

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:[^/?#@]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/?#@:\[\]]+)(?P<port>(?::[0-9]+)?)"
    r"(?P<path>(?:/[^?#]*)?)(?P<query>(?:\?[^#]*)?)(?P<fragment>(?:#.*)?)",
    re.IGNORECASE,
)
_NO_ADDRESS: Final = re.compile(r"[^!-~]")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
#: Ports that are in use behind proxies, besides those that are named.
_USUAL_PORTS: Final = (":80", ":443", ":8080", ":8443")


class Difference(Enum):
    """One way in which what was signed is not what this service signs over."""

    SCHEME = "scheme"
    HOST = "host"
    PORT = "port"
    PREFIX = "path prefix"
    SLASH = "trailing slash"
    NO_QUERY = "query left out"
    QUERY_ORDER = "order of the query"
    QUERY_ENCODING = "encoding of the query"
    FRAGMENT = "fragment"
    TRIMMED = "white space trimmed"
    BLANKS_DROPPED = "blank values dropped"
    PLUS_KEPT = "plus signs decoded"


class Address(NamedTuple):
    """The parts of a webhook's URL, byte for byte; the port with its colon, the query with its `?`."""

    scheme: str
    host: str
    port: str
    #: What is before the path that this service knows; all of it is the route if it knows none.
    prefix: str
    route: str
    query: str
    fragment: str

    @classmethod
    def of(cls, url: str, routes: Sequence[str]) -> "Address":
        """Take a URL apart; its userinfo is dropped, as Twilio does. ValueError if it is not http or https."""
        found = _URL.fullmatch(url)
        if found is None or _NO_ADDRESS.search(url):
            raise ValueError("is no http or https URL")
        path = found["path"]
        route = next((each for each in routes if path.rstrip("/").endswith(each)), path)
        prefix = path.rstrip("/").removesuffix(route) if route != path else ""
        return cls(found["scheme"], found["host"], found["port"], prefix, route, found["query"], found["fragment"])

    @property
    def public_url(self) -> str:
        """What the service would have to be configured with to be called by this address."""
        return f"{self.scheme}://{self.host}{self.port}{self.prefix}"

    @property
    def url(self) -> str:
        """The whole of it."""
        return f"{self.public_url}{self.route}{self.query}{self.fragment}"


class Variant(NamedTuple):
    """What may have been signed, and how it differs from what this service signs over."""

    address: Address
    differences: tuple[Difference, ...]


def address_variants(ours: Address, given: Address) -> list[Variant]:
    """Every address that may have been signed, ours first.

    Parameters:
        ours: what this service signs over.
        given: what Twilio was given.
    """
    found: dict[str, Variant] = {}
    for scheme in (ours.scheme, "http" if ours.scheme.lower() == "https" else "https"):
        parts = product(
            _hosts(ours, given).items(),
            _ports(ours, given, scheme).items(),
            _others(ours.prefix, (given.prefix, ""), Difference.PREFIX).items(),
            _others(ours.route, (ours.route.rstrip("/") + "/",), Difference.SLASH).items(),
            query_variants(ours.query).items(),
            _others("", (given.fragment,), Difference.FRAGMENT).items(),
        )
        for chosen in parts:
            values, differences = zip(*chosen, strict=True)
            address = Address(scheme, *values)
            named = (Difference.SCHEME if scheme != ours.scheme else None, *differences)
            variant = Variant(address, tuple(difference for difference in named if difference is not None))
            known = found.setdefault(address.url, variant)
            if len(variant.differences) < len(known.differences):
                found[address.url] = variant
    return sorted(found.values(), key=lambda variant: len(variant.differences))


def query_variants(query: str) -> Mapping[str, Difference | None]:
    """A query, and what is made of it on its way."""
    variants: dict[str, Difference | None] = {query: None}
    text = query.removeprefix("?")
    if not text:
        return variants | {"": None, "?": None}
    pairs = parse_qsl(text, keep_blank_values=True)
    for pieces in (sorted(text.split("&")), text.split("&")[::-1]):
        variants.setdefault("?" + "&".join(pieces), Difference.QUERY_ORDER)
    for other in (
        urlencode(pairs),
        urlencode(sorted(pairs)),
        unquote(text),
        text.replace("+", "%20"),
        text.replace("%20", "+"),
        re.sub("%[0-9A-Fa-f]{2}", lambda escape: escape[0].upper(), text),
        re.sub("%[0-9A-Fa-f]{2}", lambda escape: escape[0].lower(), text),
        text.replace("&", "&amp;"),
    ):
        variants.setdefault("?" + other, Difference.QUERY_ENCODING)
    variants.setdefault("", Difference.NO_QUERY)
    return variants


def body_variants(body: bytes) -> Iterator[tuple[str, Difference | None]]:
    """The signed part of a form, and what it is if the form was changed before it was signed, or after.

    ValueError if the body is no form.
    """
    form = Form.parse(body)
    pairs = [(name, value) for name in dict.fromkeys(form) for value in form.getall(name)]
    yield signed_parameters(form), None
    yield _signed((name, value.strip()) for name, value in pairs), Difference.TRIMMED
    yield _signed((name, value) for name, value in pairs if value), Difference.BLANKS_DROPPED
    yield signed_parameters(Form.parse(body.replace(b"+", b"%2B"))), Difference.PLUS_KEPT


def _signed(pairs: Iterator[tuple[str, str]]) -> str:
    return signed_parameters(Form(tuple(pairs)))


def _hosts(ours: Address, given: Address) -> Mapping[str, Difference | None]:
    named = [given.host, *(_other_www(host) for host in (ours.host, given.host))]
    return _others(ours.host, [*named, ours.host.lower(), given.host.lower()], Difference.HOST)


def _other_www(host: str) -> str:
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


def _ports(ours: Address, given: Address, scheme: str) -> Mapping[str, Difference | None]:
    """With and without its own port: both are taken, because for voice Twilio leaves it out of https."""
    taken = {"": None, ours.port or _DEFAULT_PORTS[scheme.lower()]: None}
    return {**dict.fromkeys((given.port, *_USUAL_PORTS), Difference.PORT), **taken}


def _others(usual: str, others: Sequence[str], difference: Difference) -> Mapping[str, Difference | None]:
    return {**dict.fromkeys(others, difference), usual: None}

"""webhook_variants.py: what may have been signed, ordered by how much it differs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.processes.webhook_variants import Address, Difference, address_variants, body_variants

ROUTE = "/webhooks/twilio/recording"
OURS = Address("https", "h.example", "", "", ROUTE, "?b=2&a=1", "")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        (f"https://h.example{ROUTE}", ("https", "h.example", "", "", ROUTE, "", "")),
        (f"HTTPS://H.example:8443/a/b{ROUTE}/?#", ("HTTPS", "H.example", ":8443", "/a/b", ROUTE, "?", "#")),
        (f"http://user:p%40ss@[::1]:80{ROUTE}?a=b#rc=5", ("http", "[::1]", ":80", "", ROUTE, "?a=b", "#rc=5")),
        ("https://h.example/else?x", ("https", "h.example", "", "", "/else", "?x", "")),
        ("https://h.example", ("https", "h.example", "", "", "", "", "")),
    ],
)
def test_a_url_is_taken_apart_byte_for_byte(url: str, parts: tuple[str, ...]) -> None:
    assert Address.of(url, [ROUTE]) == parts


@pytest.mark.parametrize(
    "url", ["", "h.example", "//h.example", "ftp://h.example", "https://", "https:///x", "https://h:p/", "https://h /"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no http or https URL"):
        Address.of(url, [ROUTE])


def test_ours_comes_first_and_then_what_differs_least() -> None:
    called = Address("http", "other.example", ":8080", "/voice", ROUTE, "?b=2&a=1", "#rc=5")
    variants = address_variants(OURS, called)
    counts = [len(variant.differences) for variant in variants]
    assert counts == sorted(counts)
    assert {variant.address.url for variant in variants if not variant.differences} == {
        OURS.url,
        OURS._replace(port=":443").url,
    }


def test_each_url_is_looked_at_once() -> None:
    urls = [variant.address.url for variant in address_variants(OURS, OURS)]
    assert len(urls) == len(set(urls))


def test_what_twilio_was_given_is_among_them_with_all_its_differences() -> None:
    called = Address("http", "other.example", ":8080", "/voice", ROUTE, "?b=2&a=1", "#rc=5")
    (found,) = [variant for variant in address_variants(OURS, called) if variant.address.url == called.url]
    assert set(found.differences) == {
        Difference.SCHEME,
        Difference.HOST,
        Difference.PORT,
        Difference.PREFIX,
        Difference.FRAGMENT,
    }


@given(st.text("ab=&+%20~'/?", max_size=12), st.sampled_from(["", ":80", ":9"]), st.sampled_from(["", "/p", "/p/q"]))
def test_there_are_few_enough_to_look_at_all(query: str, port: str, prefix: str) -> None:
    called = Address("http", "www.other.example", port, prefix, ROUTE, f"?{query}" if query else "", "#x")
    variants = address_variants(OURS._replace(query=called.query), called)
    assert len(variants) < 20_000
    assert variants[0].differences == ()


def test_a_form_is_looked_at_as_it_is_and_as_it_may_have_been() -> None:
    assert {difference: text for text, difference in body_variants(b"b=+x&a=&c=1+2")} == {
        None: "ab xc1 2",
        Difference.TRIMMED: "abxc1 2",
        Difference.BLANKS_DROPPED: "b xc1 2",
        Difference.PLUS_KEPT: "ab+xc1+2",
    }

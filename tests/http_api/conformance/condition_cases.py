"""Conditional requests, and what a GET of a recording with at least a byte is answered (RFC 9110 §13).

{etag} and {then} are the recording's; {before} and {after} are a second apart from {then}.
"""

from typing import NamedTuple

RANGE = "Range: bytes=0-0"
UNSATISFIABLE = "Range: bytes=999999999-"


class ConditionCase(NamedTuple):
    """Header lines and the status that they lead to."""

    status: int
    lines: tuple[str, ...]

    def filled(self, etag: str) -> list[str]:
        """The lines for the recording of that tag."""
        values = {"{etag}": etag, "{bare}": etag.strip('"'), **_DATES}
        return [_replaced(line, values) for line in self.lines]


_DATES = {
    "{then}": "Tue, 03 Mar 2026 10:00:00 GMT",
    "{before}": "Tue, 03 Mar 2026 09:59:59 GMT",
    "{after}": "Tue, 03 Mar 2026 10:00:01 GMT",
    "{then850}": "Tuesday, 03-Mar-26 10:00:00 GMT",
    "{before850}": "Tuesday, 03-Mar-26 09:59:59 GMT",
    "{thenC}": "Tue Mar  3 10:00:00 2026",
    "{beforeC}": "Tue Mar  3 09:59:59 2026",
}

CONDITION_CASES = [
    ConditionCase(status, tuple(lines))
    for status, *lines in (
        # If-Match (§13.1.1): strong comparison.
        (200, "If-Match: {etag}"),
        (200, "If-Match: *"),
        (200, 'If-Match: "x", {etag}'),
        (200, 'If-Match: {etag},"x"'),
        (200, 'If-Match: , "a,b" ,\t{etag},,'),
        (200, 'If-Match: "x"', "If-Match: {etag}"),
        (200, "IF-MATCH: {etag}"),
        (412, 'If-Match: "x"'),
        (412, 'If-Match: ""'),
        (412, "If-Match: W/{etag}"),
        (412, "If-Match: w/{etag}"),
        (412, "If-Match: {bare}"),
        (412, 'If-Match: "{bare}'),
        (412, 'If-Match: "{bare}x"'),
        (412, "If-Match: {etag} *"),
        (412, 'If-Match: {etag} "x"'),
        (412, "If-Match:"),
        # If-Unmodified-Since (§13.1.4): whole seconds, the three forms, and nothing else.
        (200, "If-Unmodified-Since: {then}"),
        (200, "If-Unmodified-Since: {after}"),
        (200, "If-Unmodified-Since: {then850}"),
        (200, "If-Unmodified-Since: {thenC}"),
        (412, "If-Unmodified-Since: {before}"),
        (412, "If-Unmodified-Since: {before850}"),
        (412, "If-Unmodified-Since: {beforeC}"),
        (412, "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
        (200, "If-Unmodified-Since: yesterday"),
        (200, "If-Unmodified-Since: 0"),
        (200, "If-Unmodified-Since:"),
        (200, "If-Unmodified-Since: 2026-03-03T09:59:59Z"),
        (200, "If-Unmodified-Since: Tue, 03 Mar 2026 09:59:59 +0000"),
        (200, "If-Unmodified-Since: {before}", "If-Unmodified-Since: {before}"),
        # If-None-Match (§13.1.2): weak comparison.
        (304, "If-None-Match: {etag}"),
        (304, "If-None-Match: W/{etag}"),
        (304, "If-None-Match: *"),
        (304, 'If-None-Match: "x", {etag}'),
        (304, 'If-None-Match: W/"x",W/{etag} , "y"'),
        (304, 'If-None-Match: "x"', "If-None-Match: {etag}"),
        (304, "if-none-match: {etag}"),
        (200, 'If-None-Match: "x"'),
        (200, 'If-None-Match: "x", W/"y"'),
        (200, "If-None-Match: {bare}"),
        (200, 'If-None-Match: {etag} "x"'),
        (200, "If-None-Match: w/{etag}"),
        (200, "If-None-Match:"),
        # If-Modified-Since (§13.1.3).
        (304, "If-Modified-Since: {then}"),
        (304, "If-Modified-Since: {after}"),
        (304, "If-Modified-Since: {then850}"),
        (304, "If-Modified-Since: {thenC}"),
        (304, "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"),
        (200, "If-Modified-Since: {before}"),
        (200, "If-Modified-Since: {before850}"),
        (200, "If-Modified-Since: {beforeC}"),
        (200, "If-Modified-Since: yesterday"),
        (200, "If-Modified-Since:"),
        (200, "If-Modified-Since: 9999999999"),
        (200, "If-Modified-Since: Tue, 03 Mar 2026 10:00:01 +0000"),
        (200, "If-Modified-Since: Tue, 31 Feb 2027 10:00:01 GMT"),
        (200, "If-Modified-Since: {after}", "If-Modified-Since: {after}"),
        # If-Range (§13.1.5): a strong tag or the very date, or the Range is ignored.
        (206, "If-Range: {etag}", RANGE),
        (206, "If-Range: {then}", RANGE),
        (206, "If-Range: {then850}", RANGE),
        (206, "If-Range: {thenC}", RANGE),
        (206, RANGE, "IF-RANGE:{etag}"),
        (200, 'If-Range: "x"', RANGE),
        (200, "If-Range: W/{etag}", RANGE),
        (200, "If-Range: {bare}", RANGE),
        (200, 'If-Range: {etag}, "x"', RANGE),
        (200, "If-Range: *", RANGE),
        (200, "If-Range: {before}", RANGE),
        (200, "If-Range: {after}", RANGE),
        (200, "If-Range: yesterday", RANGE),
        (200, "If-Range:", RANGE),
        (200, "If-Range: {etag}", "If-Range: {etag}", RANGE),
        (200, "If-Range: {etag}"),
        (200, 'If-Range: "x"'),
        (416, "If-Range: {etag}", UNSATISFIABLE),
        (200, 'If-Range: "x"', UNSATISFIABLE),
        (200, "If-Range: {etag}", "Range: bytes=1-0"),
        # Their precedence (§13.2.2).
        (200, "If-Match: {etag}", "If-Unmodified-Since: {before}"),
        (412, 'If-Match: "x"', "If-Unmodified-Since: {after}"),
        (412, 'If-Match: "x"', "If-None-Match: {etag}"),
        (304, "If-Match: {etag}", "If-None-Match: {etag}"),
        (200, "If-Match: {etag}", 'If-None-Match: "x"'),
        (304, "If-Match: {etag}", "If-Modified-Since: {then}"),
        (412, "If-Unmodified-Since: {before}", "If-None-Match: {etag}"),
        (412, "If-Unmodified-Since: {before}", "If-Modified-Since: {then}"),
        (304, "If-Unmodified-Since: {then}", "If-Modified-Since: {then}"),
        (304, "If-None-Match: {etag}", "If-Modified-Since: {before}"),
        (200, 'If-None-Match: "x"', "If-Modified-Since: {after}"),
        (200, "If-None-Match:", "If-Modified-Since: {after}"),
        (304, "If-None-Match: {etag}", RANGE),
        (304, "If-None-Match: {etag}", UNSATISFIABLE),
        (304, "If-Modified-Since: {then}", RANGE),
        (304, "If-Modified-Since: {then}", "If-Range: {etag}", RANGE),
        (412, 'If-Match: "x"', RANGE),
        (412, 'If-Match: "x"', UNSATISFIABLE),
        (412, 'If-Match: "x"', "If-Range: {etag}", RANGE),
        (206, "If-Match: {etag}", RANGE),
        (416, "If-Match: {etag}", UNSATISFIABLE),
        (206, "If-Unmodified-Since: {then}", RANGE),
        (206, 'If-None-Match: "x"', RANGE),
        (416, 'If-None-Match: "x"', UNSATISFIABLE),
        (206, "If-Modified-Since: {before}", "If-Range: {then}", RANGE),
        (200, "If-Match: {etag}", 'If-Range: "x"', RANGE),
        (206, "If-Match: *", 'If-None-Match: "x"', "If-Range: {etag}", RANGE),
        (
            206,
            RANGE,
            "If-Range: {etag}",
            "If-Modified-Since: {after}",
            'If-None-Match: "x"',
            "If-Unmodified-Since: {before}",
            "If-Match: {etag}",
        ),
    )
]


def _replaced(line: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        line = line.replace(name, value)
    return line

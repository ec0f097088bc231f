"""Range fields, and which bytes each asks for (RFC 9110 §14, reliability.md D1).

A case is a name, the field's value, and the parts as Python slices: `0:2 5:` are two. `None` stands for a field that is
to be ignored. {size}, {last}, {half} and {beyond} are those of the recording; a line break begins another field.
"""

from typing import NamedTuple

HUGE = "9" * 1000


class RangeCase(NamedTuple):
    """One Range field, or several."""

    name: str
    value: str
    slices: str | None

    def lines(self, size: int) -> list[str]:
        """The header lines."""
        return [f"Range: {value}" for value in _filled(self.value, size).split("\n")]

    def parts(self, size: int) -> list[slice] | None:
        """What is asked for; `None`: the field is to be ignored."""
        if self.slices is None:
            return None
        return [_slice_of(text) for text in _filled(self.slices, size).split()]


RANGE_CASES = [
    RangeCase(*case)
    for case in (
        # One range.
        ("the first byte", "bytes=0-0", "0:1"),
        ("the first two", "bytes=0-1", "0:2"),
        ("from the first", "bytes=0-", "0:"),
        ("from the second", "bytes=1-", "1:"),
        ("from the middle", "bytes={half}-", "{half}:"),
        ("from the last", "bytes={last}-", "{last}:"),
        ("the last by number", "bytes={last}-{last}", "{last}:"),
        ("all by number", "bytes=0-{last}", "0:"),
        ("clamped by one", "bytes=0-{size}", "0:"),
        ("clamped", "bytes={half}-{beyond}", "{half}:"),
        ("clamped from 1000 digits", f"bytes=1-{HUGE}", "1:"),
        ("clamped from 2^63", f"bytes=0-{2**63 - 1}", "0:"),
        ("clamped from 2^64", f"bytes=0-{2**64}", "0:"),
        ("leading zeros", f"bytes={'0' * 1000}-{'0' * 1000}1", "0:2"),
        ("suffix of one", "bytes=-1", "-1:"),
        ("suffix of two", "bytes=-2", "-2:"),
        ("suffix of all", "bytes=-{size}", ":"),
        ("suffix of more", "bytes=-{beyond}", ":"),
        ("suffix of 1000 digits", f"bytes=-{HUGE}", ":"),
        # Not a byte of it exists.
        ("first at the end", "bytes={size}-", "{size}:"),
        ("first beyond the end", "bytes={beyond}-", "{beyond}:"),
        ("both beyond the end", "bytes={size}-{beyond}", "{size}:"),
        ("first of 1000 digits", f"bytes={HUGE}-", "{size}:"),
        ("both of 1000 digits", f"bytes={HUGE}-{HUGE}", "{size}:"),
        ("first of 2^63", f"bytes={2**63}-", "{size}:"),
        ("first of 2^64", f"bytes={2**64}-", "{size}:"),
        ("suffix of none", "bytes=-0", "0:0"),
        ("suffix of none at length", "bytes=-0000", "0:0"),
        ("nothing twice", "bytes={size}-,-0", "0:0"),
        # The unit.
        ("unit in upper case", "BYTES=0-1", "0:2"),
        ("unit in both cases", "bYtEs=0-1", "0:2"),
        ("another unit", "items=0-1", None),
        ("another unit with something of its own", "seconds=1.5-2.5", None),
        ("a unit that begins alike", "bytesx=0-1", None),
        ("no unit", "=0-1", None),
        ("unit alone", "bytes", None),
        ("unit and no set", "bytes=", None),
        ("unit with a space", "bytes =0-1", None),
        ("colon for the equals sign", "bytes:0-1", None),
        ("space for the equals sign", "bytes 0-1", None),
        ("two equals signs", "bytes==0-1", None),
        ("an empty field", "", None),
        # Several ranges: joined where they touch, and otherwise answered with the whole.
        ("adjacent", "bytes=0-0,1-1", "0:1 1:2"),
        ("adjacent backwards", "bytes=1-1,0-0", "1:2 0:1"),
        ("overlapping", "bytes=0-5,3-9", "0:6 3:10"),
        ("one within another", "bytes=0-,1-1", "0: 1:2"),
        ("the same twice", "bytes=0-1,0-1", "0:2 0:2"),
        ("disjoint", "bytes=0-0,2-2", "0:1 2:3"),
        ("both ends", "bytes=0-0,-1", "0:1 -1:"),
        ("one of two exists", "bytes={size}-,0-0", "0:1"),
        ("one of three exists", "bytes=-0,{beyond}-,-1", "-1:"),
        ("white space", "bytes=0-0 ,\t1-1", "0:2"),
        ("white space around", "  bytes=0-1  ", "0:2"),
        ("empty elements", "bytes=,, ,0-0, ,1-1,,", "0:2"),
        ("many empty elements", "bytes=" + "," * 500 + "0-1", "0:2"),
        ("empty elements alone", "bytes=,", None),
        ("white space alone", "bytes= ,\t, ", None),
        ("16 the same", "bytes=" + ",".join(["0-1"] * 16), "0:2"),
        ("16 in a row", "bytes=" + ",".join(f"{n}-{n}" for n in range(16)), "0:16"),
        ("16 and empty elements", "bytes=" + ",,".join(["0-1"] * 16) + ",", "0:2"),
        (
            "16 disjoint",
            "bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(16)),
            " ".join(f"{2 * n}:{2 * n + 1}" for n in range(16)),
        ),
        ("17 the same", "bytes=" + ",".join(["0-1"] * 17), None),
        ("17 that don't exist", "bytes=" + ",".join(["{size}-"] * 17), None),
        ("1000", "bytes=" + ",".join(["0-"] * 1000), None),
        # What is no range makes all of the field none.
        ("last before first", "bytes=1-0", None),
        ("last of 1 before a first of 1000 digits", f"bytes={HUGE}-1", None),
        ("last before first in the second", "bytes=0-0,2-1", None),
        ("a number", "bytes=0", None),
        ("a dash", "bytes=-", None),
        ("a negative first", "bytes=-1-2", None),
        ("a negative last", "bytes=0--1", None),
        ("a negative suffix", "bytes=--1", None),
        ("three numbers", "bytes=0-1-2", None),
        ("letters", "bytes=a-b", None),
        ("a word in the list", "bytes=0-0,all", None),
        ("hexadecimal", "bytes=0x0-0x1", None),
        ("plus signs", "bytes=+0-+1", None),
        ("fractions", "bytes=0.0-1.0", None),
        ("an exponent", "bytes=1e0-", None),
        ("underscores", "bytes=0_0-1", None),
        ("white space before the dash", "bytes=0 -1", None),
        ("white space after the dash", "bytes=0- 1", None),
        ("quotes", 'bytes="0-1"', None),
        ("semicolons", "bytes=0-0;1-1", None),
        ("a content range", "bytes=0-1/*", None),
        ("a second unit", "bytes=0-0,items=1-1", None),
        ("digits of Latin-1", "bytes=0-\xb9", None),
        ("Arabic digits in UTF-8", "bytes=\xd9\xa0-\xd9\xa1", None),
        ("a no-break space", "bytes=\xa00-1", None),
        # Range is no list (§14.2): two of them are no valid one.
        ("two fields", "bytes=0-0\nbytes=1-1", None),
        ("two equal fields", "bytes=0-0\nbytes=0-0", None),
    )
]


def _filled(text: str, size: int) -> str:
    return (
        text.replace("{size}", str(size))
        .replace("{last}", str(size - 1))
        .replace("{half}", str(size // 2))
        .replace("{beyond}", str(size + 1000))
    )


def _slice_of(text: str) -> slice:
    first, _, end = text.partition(":")
    return slice(int(first) if first else None, int(end) if end else None)

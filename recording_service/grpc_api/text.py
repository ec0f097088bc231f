"""Text on its way to a caller."""

_ELLIPSIS = "…"


def clipped(text: str, max_bytes: int) -> str:
    """The text as valid UTF-8 of at most so many bytes; what is cut is marked by an ellipsis."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= max_bytes:
        return encoded.decode("utf-8")
    return encoded[: max_bytes - len(_ELLIPSIS.encode())].decode("utf-8", "ignore") + _ELLIPSIS

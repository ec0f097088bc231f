"""Callers of a running service: their tokens, and the file that lets them in."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Known(NamedTuple):
    """What one caller may do, for which accounts; its token is its name and a bit."""

    scopes: Sequence[str]
    accounts: Sequence[str]
    further: str = ""


def token_of(name: str) -> str:
    """The token of the caller of that name."""
    return f"token-of-{name}"


def callers_file(folder: Path, callers: Mapping[str, Known]) -> Path:
    """Writes RECORDING_CALLERS_FILE."""
    tables = []
    for name, known in callers.items():
        digest = hashlib.sha256(token_of(name).encode()).hexdigest()
        tables.append(
            f'[{name}]\ntoken_hashes = ["sha256:{digest}"]\nscopes = {_list(known.scopes)}\n'
            f"accounts = {_list(known.accounts)}\n{known.further}\n"
        )
    file = folder / "callers.toml"
    file.write_text("\n".join(tables))
    return file


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"

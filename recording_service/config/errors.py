"""What is wrong with a configuration, said so that an operator can mend it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError


class ConfigurationError(Exception):
    """Raised when the configuration is wrong. `problems` says, a line each, which variable and how to mend it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@contextmanager
def explaining(prefix: str) -> Iterator[None]:
    """Turns pydantic's errors into ours: the variable and the problem, never the value.

    A prefix that ends in `_` makes a variable of a field's name; any other is put before it as it is.
    """
    try:
        yield
    except ValidationError as error:
        problems = []
        for found in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in found["loc"])
            if not name.startswith("TWILIO_"):
                name = prefix + (name.upper() if prefix.endswith("_") else name)
            problem = found["msg"].removeprefix("Value error, ")
            # What is wrong with a whole table or configuration names its fields itself.
            separator = ": " if found["loc"] else ""
            problems.append(f"{name}{separator}{problem}" if found["loc"] or not prefix.endswith("_") else problem)
        raise ConfigurationError(problems) from None

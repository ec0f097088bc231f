import re
from pathlib import Path

import pytest

from recordings import errors
from recordings.command_line.exit_codes import ExitCode
from recordings.command_line.failures import _CODES, exit_code_of, text_of
from recordings.errors import FieldViolation, RecordingsError

DOCUMENT = Path(__file__).parents[3] / "clients/python/COMMAND_LINE.md"


def all_errors() -> list[type[RecordingsError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RecordingsError)]


def test_every_error_of_the_client_has_an_exit_code_of_its_own() -> None:
    assert set(_CODES) == set(all_errors())


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_is_one_line(kind: type[RecordingsError]) -> None:
    assert "\n" not in text_of(kind("it went wrong"))
    assert text_of(kind("it went wrong.")).startswith("it went wrong")


def test_a_field_that_is_wrong_is_named() -> None:
    violations = (FieldViolation("recording_sid", "is malformed"), FieldViolation("call_sid", "is an AccountSid"))

    assert text_of(errors.InvalidRequest("wrong", field_violations=violations)) == (
        "recording_sid is malformed; call_sid is an AccountSid"
    )


def test_a_bug_of_the_service_names_where_to_find_it() -> None:
    error = errors.EnqueueFailed("oops", reason="INTERNAL")

    assert exit_code_of(error) is ExitCode.ERROR
    assert exit_code_of(errors.EnqueueFailed("full", reason="STORAGE_FULL")) is ExitCode.UNAVAILABLE
    for kind in (errors.InternalError, errors.EnqueueFailed):
        assert "errorId e-1" in text_of(kind("oops", reason="INTERNAL", metadata={"errorId": "e-1"}))


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("ENQUEUE_FAILED", ExitCode.UNAVAILABLE),
        ("STORAGE_FULL", ExitCode.UNAVAILABLE),
        ("INTERNAL", ExitCode.ERROR),
        ("SOMETHING_NEW", ExitCode.UNAVAILABLE),
    ],
)
def test_a_failed_enqueue_ends_as_its_reason_says(reason: str, code: ExitCode) -> None:
    assert exit_code_of(errors.EnqueueFailed("no", reason=reason)) is code


def test_every_exit_code_is_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)}

    assert documented == {int(code) for code in ExitCode}

"""What `import recordings` brings."""

import subprocess
import sys

import pytest

import recordings


def test_the_surface_is_this_and_nothing_else() -> None:
    names = ["EventWatch", "FoundRecording", "RecordingReader", "RecordingWatch", "RecordingsClient"]
    assert recordings.__all__ == names
    for name in recordings.__all__:
        assert getattr(recordings, name).__name__ == name


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        recordings.nothing_of_ours  # noqa: B018 - that it is asked for is the test


def test_whoever_wants_the_generated_code_alone_does_not_import_the_client() -> None:
    program = (
        "import sys, recordings.v1.recording_pb2; print('grpc' in sys.modules, 'recordings.client' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]

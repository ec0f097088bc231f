"""What only the source in memory does: it plays a script, and remembers what it was asked."""

import pytest

from recording_service.adapters.memory.source import Answer, MemorySource
from recording_service.core.errors import SourceNotFound, SourceTruncated, SourceUnavailable
from recording_service.core.model import RecordingKey

KEY = RecordingKey("AC" + "0a" * 16, "RE" + "1b" * 16)


def fetched(source: MemorySource) -> bytes:
    with source.open(KEY) as media:
        return b"".join(media.chunks())


def test_the_last_outcome_of_a_script_stays() -> None:
    source = MemorySource({KEY: b"first"})
    assert fetched(source) == b"first"

    source.script(KEY, [SourceUnavailable("down"), Answer(b"cut short", cut_after_bytes=3), b""])
    with pytest.raises(SourceUnavailable):
        fetched(source)
    with pytest.raises(SourceTruncated):
        fetched(source)
    assert [fetched(source), fetched(source)] == [b"", b""]


def test_an_empty_script_is_no_recording() -> None:
    source = MemorySource({KEY: b"first"})
    source.script(KEY, [])

    with pytest.raises(SourceNotFound):
        fetched(source)


def test_every_request_is_remembered() -> None:
    source = MemorySource({KEY: b"x"})
    other = KEY._replace(recording_sid="RE" + "2c" * 16)

    fetched(source)
    with pytest.raises(SourceNotFound), source.open(other):
        pass

    assert source.asked == [KEY, other]


def test_pieces_may_be_made_small() -> None:
    with MemorySource({KEY: b"0123456789"}, piece_bytes=4).open(KEY) as media:
        assert list(media.chunks()) == [b"0123", b"4567", b"89"]

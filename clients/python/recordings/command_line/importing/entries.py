"""A row becomes a request, or is refused: which recording it is of is taken from its SID or from its URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Final

from recordings.command_line.importing.csv_rows import Row
from recordings.command_line.importing.lines import Refused, is_decoded
from recordings.command_line.importing.values import (
    parse_channels,
    parse_duration,
    parse_recording_url,
    parse_sid,
    parse_time,
)
from recordings.v1.enqueue_pb2 import EnqueueRecordingRequest
from recordings.v1.recording_pb2 import Priority, RecordingJob

#: Largest request, in bytes: a thousand times what an honest one has, and a batch still holds some.
MAX_REQUEST_BYTES: Final = 1 << 17


class Outcome(StrEnum):
    """What became of a line; the first three are the service's own words."""

    ENQUEUED = "ENQUEUED"
    CACHED = "CACHED"
    DUPLICATE = "DUPLICATE"
    REFUSED = "REFUSED"
    #: The line names no recording, as a call that was not recorded does.
    SKIPPED = "SKIPPED"
    #: A dry run: nothing is wrong with it here.
    CHECKED = "CHECKED"


@dataclass(slots=True)
class Entry:
    """One line: what is asked for it, and what became of it (None: nothing yet)."""

    line: int
    recording_sid: str = ""
    request: EnqueueRecordingRequest | None = None
    outcome: Outcome | None = None
    error_reason: str = ""
    field: str = ""
    why: str = ""

    def refuse(self, why: str, *, error_reason: str = "INVALID_LINE", field: str = "") -> "Entry":
        """Notes why it can't be; itself."""
        self.outcome, self.error_reason, self.field, self.why = Outcome.REFUSED, error_reason, field, why
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What every line has that doesn't say otherwise."""

    account_sid: str = ""
    job: RecordingJob = RecordingJob.RECORDING_JOB_UNSPECIFIED
    priority: Priority = Priority.PRIORITY_BULK
    labels: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None


class _Wrong(Exception):
    """A field can't be used."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def entry_of(row: Row | Refused, defaults: Defaults) -> Entry:
    """The line's request, not sent yet; or its outcome, where there is nothing to send."""
    if isinstance(row, Refused):
        return Entry(row.line).refuse(row.why)
    entry = Entry(row.line)
    try:
        request = _request(row.values, defaults, entry)
    except _Wrong as error:
        return entry.refuse(str(error), field=error.name)
    if request is None:
        entry.outcome, entry.why = Outcome.SKIPPED, "names no recording"
    elif request.ByteSize() > MAX_REQUEST_BYTES:
        return entry.refuse(f"has more than {MAX_REQUEST_BYTES} bytes")
    entry.request = request
    return entry


def _request(values: Mapping[str, str], defaults: Defaults, entry: Entry) -> EnqueueRecordingRequest | None:
    for name, text in values.items():
        if not is_decoded(text) or not is_decoded(name):
            raise _Wrong(name if is_decoded(name) else "labels", "is not in the file's encoding; see --encoding")
    values = _with_sid_by_its_letters(values)
    url = _parsed("source_url", values, parse_recording_url)
    account_sid, recording_sid, source_url = url or ("", "", "")
    if url is not None and not recording_sid and "recording_sid" not in values:
        raise _Wrong("source_url", "has no RecordingSid in its path, and no other column has one")
    if not recording_sid and "recording_sid" not in values:
        return None
    recording_sid = _identity("recording_sid", values, "RE", recording_sid)
    entry.recording_sid = recording_sid
    account_sid = _identity("account_sid", values, "AC", account_sid) or defaults.account_sid
    request = EnqueueRecordingRequest(
        account_sid=account_sid,
        recording_sid=recording_sid,
        call_sid=_identity("call_sid", values, "CA"),
        conference_sid=_identity("conference_sid", values, "CF"),
        source_url=source_url if recording_sid in source_url and account_sid in source_url else "",
        job=defaults.job,
        priority=defaults.priority,
        channels=_parsed("channels", values, parse_channels) or 0,
        labels={**defaults.labels, **_labels(values)},
        source=values.get("source"),
        track=values.get("track"),
        direction=values.get("direction"),
        from_number=values.get("from_number"),
        to_number=values.get("to_number"),
    )
    if (start := _parsed("start_time", values, lambda text: parse_time(text, defaults.zone))) is not None:
        request.start_time.FromDatetime(start)
    if (duration := _parsed("duration", values, parse_duration)) is not None:
        request.duration.FromTimedelta(duration)
    return request


def _with_sid_by_its_letters(values: Mapping[str, str]) -> Mapping[str, str]:
    """A column `sid` of a call log is the call's: that is seen by the value."""
    sid = values.get("recording_sid", "")
    if not sid.startswith("CA"):
        return values
    others = {name: text for name, text in values.items() if name != "recording_sid"}
    return {"call_sid": sid, **others}


def _identity(name: str, values: Mapping[str, str], letters: str, in_url: str = "") -> str:
    given = _parsed(name, values, lambda text: parse_sid(text, letters)) or ""
    if given and in_url and given != in_url:
        raise _Wrong(name, "is another than the one in the URL")
    return given or in_url


def _labels(values: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("labels."): text for name, text in values.items() if name.startswith("labels.")}


def _parsed(name: str, values: Mapping[str, str], parse: Callable[[str], Any]) -> Any:
    text = values.get(name)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise _Wrong(name, str(error)) from None

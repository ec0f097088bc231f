"""Messages of the contract as raw values for the core's checks.

What only the contract can get wrong is found here: numbers an enum doesn't know, and times that are none. It is
reported together with what the core finds, so that a caller sees every wrong field at once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from recording_service.core.callers import Caller
from recording_service.core.errors import FieldViolation, InvalidRequest
from recording_service.core.model import EncryptionDetails, EnqueueRequest, RecordingFilter, UnavailableReport
from recording_service.core.requests import RequestChecker, Target, check_sids
from recording_service.core.search import WordSearch
from recording_service.core.typed_search import word_search
from recording_service.core.watching import WatchUntil
from recording_service.grpc_api.enums import (
    FAILURE_REASONS,
    JOBS,
    PRIORITIES,
    STATES,
    UNAVAILABLE_REASONS,
    WATCH_UNTILS,
)
from recordings.v1 import deletion_pb2, enqueue_pb2, lookup_pb2, playback_url_pb2, results_pb2, stream_pb2, watch_pb2

#: The years 1 to 9999, as timestamp.proto bounds them, in seconds since 1970.
MIN_TIMESTAMP_SECONDS, MAX_TIMESTAMP_SECONDS = -62_135_596_800, 253_402_300_799
#: About 10 000 years, as duration.proto bounds it.
MAX_DURATION_SECONDS = 315_576_000_000
#: Nanoseconds of one second.
NANOS = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS_A_MICROSECOND = 1000

Member = TypeVar("Member")
#: Requests that name one recording.
TargetRequest = (
    lookup_pb2.GetRecordingRequest
    | watch_pb2.WatchRecordingRequest
    | stream_pb2.StreamRecordingRequest
    | deletion_pb2.DeleteRecordingRequest
    | playback_url_pb2.CreatePlaybackUrlRequest
    | results_pb2.GetWaveformRequest
    | results_pb2.GetTranscriptRequest
)


def enqueue_request(
    request: enqueue_pb2.EnqueueRecordingRequest, checker: RequestChecker, request_id: str
) -> EnqueueRequest:
    """The checked wish for a recording; InvalidRequest names every wrong field."""
    found: list[FieldViolation] = []
    job = _member(found, "job", request.job, JOBS)
    priority = _member(found, "priority", request.priority, PRIORITIES)
    start_time = _moment(found, "start_time", request.start_time) if request.HasField("start_time") else None
    duration = _length(found, "duration", request.duration) if request.HasField("duration") else None
    try:
        checked = checker.enqueue(
            account_sid=request.account_sid,
            recording_sid=request.recording_sid,
            call_sid=request.call_sid,
            conference_sid=request.conference_sid,
            source_url=request.source_url,
            job=job,
            priority=priority,
            source=request.source,
            track=request.track,
            direction=request.direction,
            channels=request.channels,
            start_time=start_time,
            duration=duration,
            from_number=request.from_number,
            to_number=request.to_number,
            labels=dict(request.labels),
            encryption_details=_encryption_details(request),
            request_id=request_id,
        )
    except InvalidRequest as error:
        raise InvalidRequest(*found, *error.violations) from error
    _refuse(found)
    return checked


def unavailable_report(
    request: enqueue_pb2.ReportRecordingUnavailableRequest, checker: RequestChecker, request_id: str
) -> UnavailableReport:
    """The checked report; InvalidRequest names every wrong field."""
    found: list[FieldViolation] = []
    reason = _member(found, "reason", request.reason, UNAVAILABLE_REASONS)
    try:
        checked = checker.report(
            account_sid=request.account_sid,
            recording_sid=request.recording_sid,
            call_sid=request.call_sid,
            reason=reason,
            error_code=request.error_code,
            request_id=request_id,
        )
    except InvalidRequest as error:
        # A reason that is not known was found here; that it is missing as well would mislead.
        known = {violation.field for violation in found}
        raise InvalidRequest(
            *found, *(violation for violation in error.violations if violation.field not in known)
        ) from error
    _refuse(found)
    return checked


def target(request: TargetRequest, checker: RequestChecker, caller: Caller) -> Target:
    """Which recording is meant, of those that exist for the caller."""
    return checker.target(
        account_sid=request.account_sid, recording_sid=request.recording_sid, permitted=caller.account_sids
    )


def watch_request(
    request: watch_pb2.WatchRecordingRequest, checker: RequestChecker, caller: Caller
) -> tuple[Target, WatchUntil]:
    """Which recording is meant, and until when; READY if nothing is said."""
    found: list[FieldViolation] = []
    until = _member(found, "until", request.until, WATCH_UNTILS)
    try:
        checked = target(request, checker, caller)
    except InvalidRequest as error:
        raise InvalidRequest(*found, *error.violations) from error
    _refuse(found)
    return checked, until or WatchUntil.READY


def recording_filter(request: lookup_pb2.ListRecordingsRequest) -> RecordingFilter:
    """What a list is narrowed to; the core checks the SIDs and labels in it."""
    found: list[FieldViolation] = []
    states = _members(found, "states", request.states, STATES)
    failure_reasons = _members(found, "failure_reasons", request.failure_reasons, FAILURE_REASONS)
    create_time_from = (
        _moment(found, "create_time_from", request.create_time_from) if request.HasField("create_time_from") else None
    )
    create_time_before = (
        _moment(found, "create_time_before", request.create_time_before)
        if request.HasField("create_time_before")
        else None
    )
    words = _words(found, request.words)
    _refuse(found)
    return RecordingFilter(
        states=states,
        failure_reasons=failure_reasons,
        account_sids=frozenset(request.account_sids),
        call_sids=frozenset(request.call_sids),
        labels=dict(request.labels),
        create_time_from=create_time_from,
        create_time_before=create_time_before,
        words=words,
    )


def list_watch_request(request: watch_pb2.WatchRecordingsRequest) -> tuple[RecordingFilter, int]:
    """What a watch of a list, or of events, is narrowed to, and how much of a list is sent at the beginning."""
    found: list[FieldViolation] = []
    states = _members(found, "states", request.states, STATES)
    check_sids(found, "account_sids", request.account_sids, "AC")
    check_sids(found, "call_sids", request.call_sids, "CA")
    if request.snapshot_size < 0:
        found.append(FieldViolation("snapshot_size", f"is {request.snapshot_size}; must be 0 or more"))
    elif request.snapshot_size and request.HasField("after_revision"):
        found.append(FieldViolation("snapshot_size", "must not be set with after_revision: there is no snapshot then"))
    _refuse(found)
    matching = RecordingFilter(
        states=states, account_sids=frozenset(request.account_sids), call_sids=frozenset(request.call_sids)
    )
    return matching, request.snapshot_size


def _words(found: list[FieldViolation], typed: str) -> WordSearch | None:
    try:
        return word_search(typed)
    except InvalidRequest as error:
        found += error.violations
        return None


def _encryption_details(request: enqueue_pb2.EnqueueRecordingRequest) -> EncryptionDetails | None:
    if not request.HasField("encryption_details"):
        return None
    given = request.encryption_details
    return EncryptionDetails(given.public_key_sid, given.encrypted_cek, given.iv)


def _refuse(found: Sequence[FieldViolation]) -> None:
    if found:
        raise InvalidRequest(*found)


def _member(found: list[FieldViolation], field: str, number: int, members: Mapping[int, Member]) -> Member | None:
    """The enum's member of that number; None for 0, which leaves it open."""
    if number == 0:
        return None
    member = members.get(number)
    if member is None:
        found.append(FieldViolation(field, f"is {number}, which is not known here"))
    return member


def _members(
    found: list[FieldViolation], field: str, numbers: Sequence[int], members: Mapping[int, Member]
) -> frozenset[Member]:
    """The members of a filter. There 0 is wrong too: it would match nothing that is ever sent."""
    found += [
        FieldViolation(field, f"has {number}, which is not known here") for number in numbers if number not in members
    ]
    return frozenset(members[number] for number in numbers if number in members)


def _moment(found: list[FieldViolation], field: str, message: Timestamp) -> datetime | None:
    """The moment, cut to microseconds."""
    if not (MIN_TIMESTAMP_SECONDS <= message.seconds <= MAX_TIMESTAMP_SECONDS and 0 <= message.nanos < NANOS):
        found.append(FieldViolation(field, "is not a valid Timestamp"))
        return None
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // _NANOS_A_MICROSECOND)


def _length(found: list[FieldViolation], field: str, message: Duration) -> timedelta | None:
    """The length of time, cut to microseconds."""
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > MAX_DURATION_SECONDS or abs(nanos) >= NANOS or seconds * nanos < 0:
        found.append(FieldViolation(field, "is not a valid Duration"))
        return None
    return timedelta(seconds=seconds, microseconds=int(nanos / _NANOS_A_MICROSECOND))

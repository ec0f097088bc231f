"""Checks what callers send, before anything is stored: every wrong field is named, by its name in the contract."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from recording_service.core.encryption import violations_of
from recording_service.core.errors import FieldViolation, InvalidRequest
from recording_service.core.model import (
    CallDetails,
    EncryptionDetails,
    EnqueueRequest,
    Priority,
    Recording,
    RecordingJob,
    RecordingKey,
    UnavailableReason,
    UnavailableReport,
)

#: How the keys of labels begin that the service sets itself.
OWN_LABELS = "recording-service/"
#: Most labels of one recording, beside the service's own.
MAX_LABELS = 16
#: Longest key of a label, in characters.
MAX_LABEL_KEY_CHARACTERS = 63
#: Longest text of any other kind, in characters.
MAX_TEXT_CHARACTERS = 255
#: Longest source_url, in characters.
MAX_URL_CHARACTERS = 2048
#: More channels than Twilio could mean.
MAX_CHANNELS = 64

#: What each SID is called, by its two letters (twilio.md A1: both cases of hex are allowed and kept).
SID_KINDS = {"AC": "an AccountSid", "RE": "a RecordingSid", "CA": "a CallSid", "CF": "a ConferenceSid"}
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_SOURCE_URL = re.compile(
    r"(?:https?://(?P<host>[A-Za-z0-9.-]+)(?::\d{1,5})?)?"
    r"/2010-04-01/Accounts/(?P<account_sid>AC[0-9a-fA-F]{32})/Recordings/(?P<recording_sid>RE[0-9a-fA-F]{32})"
    r"(?:\.(?:mp3|wav|json|xml))?(?:\?[!-~]*)?"
)
_TWILIO_DOMAIN = ".twilio.com"

_DEFAULT_PRIORITY = {RecordingJob.DOWNLOAD_ONLY: Priority.PLAYBACK, RecordingJob.FULL: Priority.NORMAL}


class Target(NamedTuple):
    """Which recording is meant. Without an account it is found by its own SID, among those of `permitted`."""

    account_sid: str
    recording_sid: str
    #: The accounts that exist for whoever asks; None: all of them.
    permitted: frozenset[str] | None = None

    @property
    def key(self) -> RecordingKey | None:
        """Its identity, if the account is named and exists for whoever asks."""
        return RecordingKey(self.account_sid, self.recording_sid) if self._is_permitted(self.account_sid) else None

    def picked(self, rows: Iterable[Recording]) -> list[Recording]:
        """Those of the rows that exist for whoever asks."""
        return [row for row in rows if self._is_permitted(row.account_sid)]

    def _is_permitted(self, account_sid: str) -> bool:
        return bool(account_sid) and (self.permitted is None or account_sid in self.permitted)


class RequestChecker:
    """Makes checked requests of raw values, or raises InvalidRequest with every field that is wrong."""

    def __init__(self, *, account_sids: Collection[str], source_hosts: Collection[str]) -> None:
        """Knows the configured accounts, and the hosts besides Twilio's that a source_url may name."""
        self._only_account_sid = next(iter(account_sids)) if len(account_sids) == 1 else ""
        self._source_hosts = frozenset(host.lower() for host in source_hosts)

    def enqueue(
        self,
        *,
        account_sid: str,
        recording_sid: str,
        call_sid: str = "",
        conference_sid: str = "",
        source_url: str = "",
        job: RecordingJob | None = None,
        priority: Priority | None = None,
        source: str = "",
        track: str = "",
        direction: str = "",
        channels: int = 0,
        start_time: datetime | None = None,
        duration: timedelta | None = None,
        from_number: str = "",
        to_number: str = "",
        labels: Mapping[str, str] | None = None,
        encryption_details: EncryptionDetails | None = None,
        request_id: str = "",
    ) -> EnqueueRequest:
        """A wish for one recording. No job stands for FULL, no priority for the job's own (design.md §3)."""
        found: list[FieldViolation] = []
        account_sid = account_sid or self._only_account_sid
        _check_required_sid(found, "account_sid", account_sid, "AC")
        _check_required_sid(found, "recording_sid", recording_sid, "RE")
        _check_sid(found, "call_sid", call_sid, "CA")
        _check_sid(found, "conference_sid", conference_sid, "CF")
        if source_url:
            self._check_source_url(found, source_url, account_sid, recording_sid)
        for field, text in (
            ("source", source),
            ("track", track),
            ("direction", direction),
            ("from_number", from_number),
            ("to_number", to_number),
        ):
            if text:
                _check_text(found, field, text)
        if not 0 <= channels <= MAX_CHANNELS:
            found.append(FieldViolation("channels", f"is {channels}; must be from 0 to {MAX_CHANNELS}"))
        if duration is not None and duration < timedelta(0):
            found.append(FieldViolation("duration", "is negative; leave it out if it is not known"))
        if labels:
            check_labels(found, labels)
        if encryption_details is not None:
            found += violations_of(encryption_details, "encryption_details")
        if found:
            raise InvalidRequest(*found)
        job = job or RecordingJob.FULL
        call = CallDetails(
            call_sid=call_sid,
            conference_sid=conference_sid,
            source_url=source_url,
            source=source,
            track=track,
            direction=direction,
            channels=channels,
            start_time=start_time,
            duration=duration,
            from_number=from_number,
            to_number=to_number,
            labels=dict(labels) if labels else {},
        )
        key = RecordingKey(account_sid, recording_sid)
        return EnqueueRequest(
            key, job, priority or _DEFAULT_PRIORITY[job], call, request_id, encryption_details=encryption_details
        )

    def report(
        self,
        *,
        account_sid: str,
        recording_sid: str,
        reason: UnavailableReason | None,
        call_sid: str = "",
        error_code: int = 0,
        request_id: str = "",
    ) -> UnavailableReport:
        """A report that Twilio has no such recording."""
        found: list[FieldViolation] = []
        account_sid = account_sid or self._only_account_sid
        _check_required_sid(found, "account_sid", account_sid, "AC")
        _check_required_sid(found, "recording_sid", recording_sid, "RE")
        _check_sid(found, "call_sid", call_sid, "CA")
        if error_code < 0:
            found.append(FieldViolation("error_code", f"is {error_code}; must be 0 or more"))
        if reason is None:
            found.append(FieldViolation("reason", "is missing; say what Twilio reported: ABSENT or FAILED"))
        if found or reason is None:
            raise InvalidRequest(*found)
        return UnavailableReport(RecordingKey(account_sid, recording_sid), reason, call_sid, error_code, request_id)

    def target(self, *, account_sid: str, recording_sid: str, permitted: frozenset[str] | None = None) -> Target:
        """Which recording is meant, by somebody for whom these accounts exist."""
        found: list[FieldViolation] = []
        _check_sid(found, "account_sid", account_sid, "AC")
        _check_required_sid(found, "recording_sid", recording_sid, "RE")
        if found:
            raise InvalidRequest(*found)
        return Target(account_sid, recording_sid, permitted)

    def _check_source_url(self, found: list[FieldViolation], url: str, account_sid: str, recording_sid: str) -> None:
        matched = _SOURCE_URL.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS else None
        if matched is None:
            found.append(
                FieldViolation("source_url", "is not the URL of a Twilio recording; leave it out: the SIDs are enough")
            )
            return
        host = (matched["host"] or "").lower()
        if host and host not in self._source_hosts and not host.endswith(_TWILIO_DOMAIN):
            found.append(FieldViolation("source_url", "names a host that is not allowed; leave it out"))
        elif (matched["account_sid"], matched["recording_sid"]) != (account_sid, recording_sid):
            found.append(FieldViolation("source_url", "names another recording than account_sid and recording_sid"))


def check_labels(found: list[FieldViolation], labels: Mapping[str, str]) -> None:
    """Notes what is wrong with labels: too many; a key empty, too long or the service's own; a value too long."""
    if len(labels) > MAX_LABELS:
        found.append(FieldViolation("labels", f"has {len(labels)} entries; at most {MAX_LABELS} are allowed"))
        return
    for key, value in labels.items():
        if not key or len(key) > MAX_LABEL_KEY_CHARACTERS or not key.isprintable():
            found.append(FieldViolation("labels", f"keys have 1 to {MAX_LABEL_KEY_CHARACTERS} printable characters"))
        elif key.startswith(OWN_LABELS):
            found.append(FieldViolation("labels", f"keys that begin with {OWN_LABELS} are the service's own"))
        elif len(value) > MAX_TEXT_CHARACTERS or not value.isprintable():
            found.append(FieldViolation(f"labels.{key}", f"has at most {MAX_TEXT_CHARACTERS} printable characters"))


def check_sids(found: list[FieldViolation], field: str, sids: Collection[str], letters: str) -> None:
    """Notes which of a filter's SIDs are malformed."""
    for sid in sids:
        _check_required_sid(found, field, sid, letters)


def _check_required_sid(found: list[FieldViolation], field: str, sid: str, letters: str) -> None:
    if sid:
        _check_sid(found, field, sid, letters)
    else:
        found.append(FieldViolation(field, f"is missing; give {SID_KINDS[letters]} ({letters} and 32 hex digits)"))


def _check_sid(found: list[FieldViolation], field: str, sid: str, letters: str) -> None:
    if not sid or (sid.startswith(letters) and _SID.fullmatch(sid)):
        return
    other = SID_KINDS.get(sid[:2]) if _SID.fullmatch(sid) else None
    problem = f"is {other}" if other else "is malformed"
    found.append(FieldViolation(field, f"{problem}; give {SID_KINDS[letters]} ({letters} and 32 hex digits)"))


def _check_text(found: list[FieldViolation], field: str, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
        found.append(FieldViolation(field, f"has at most {MAX_TEXT_CHARACTERS} printable characters"))

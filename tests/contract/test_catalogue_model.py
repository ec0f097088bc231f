"""The catalogues are each other's oracle: whatever is done to both, they answer alike and hold the same."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.event_ports import Delivery
from recording_service.core.model import (
    Bell,
    CallDetails,
    FailureReason,
    Occasion,
    PagePosition,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Amended, Artefact, Catalogue, Decide, NamedObject
from recording_service.core.spoken_words import words_of
from recording_service.core.typed_search import word_search
from tests.contract.catalogues import DatabasesWithSchema
from tests.support.databases import DATABASES
from tests.support.events import nameless
from tests.support.recordings import TIME, a_recording

# Few of everything, so that what is done meets what was done before. SIDs of both cases: they are sorted byte by byte.
ACCOUNTS = ("ACa", "ACB")
RECORDINGS = ("REa", "REB", "RE1")
WORKERS = ("worker-1", "worker-2")
OBJECT_KEYS = ("1.mp3", "2.mp3")
FAILURES: tuple[dict[FailureReason, int], ...] = (
    {},
    {FailureReason.WORKER_CRASHED: 2, FailureReason.SOURCE_REFUSED: 1},
)
LABELS: tuple[dict[str, str], ...] = ({}, {"team": "a"}, {"team": "a", "city": "x"})
SHA256S = ("", "ab", "cd")
#: What is said, and typed: few words, and all that may stand between and upon them.
SPEECH = "áá bÉe*\"'. あ字"
SECOND = timedelta(seconds=1)

accounts = st.sampled_from(ACCOUNTS)
keys = st.builds(RecordingKey, accounts, st.sampled_from(RECORDINGS))
works = st.sampled_from(Work)
bells = st.builds(Bell, accounts, st.sampled_from(RECORDINGS), st.integers(1, 3), works, st.sampled_from(Occasion))
limits = st.none() | st.integers(1, 2)
workers = st.sampled_from(WORKERS)
times = st.integers(0, 4).map(lambda seconds: TIME + seconds * SECOND)
sizes = st.integers(1, 7)
speech = st.text(SPEECH, max_size=12)
searches = st.text(SPEECH, max_size=5).filter(lambda typed: any(True for _ in words_of(typed))).map(word_search)
ENDS: tuple[dict[Step, StepEnd], ...] = (
    {},
    {Step.PROBE: StepEnd(ProcessingState.FAILED, StepReason.MEDIA_EMPTY, "there is nothing in it")},
)
processing = st.builds(
    Processing,
    state=st.none() | st.sampled_from((ProcessingState.PENDING, ProcessingState.RUNNING, ProcessingState.DONE)),
    attempt=st.integers(1, 3),
    follows_download=st.booleans(),
    rung_time=st.none() | times,
    next_attempt_time=times,
    waiting_reason=st.none() | st.sampled_from(WaitingReason),
    claimed_by=workers,
    failures_by_reason=st.sampled_from(({}, {StepReason.WORKER_CRASHED: 2})),
    ends=st.sampled_from(ENDS),
)

#: What an amendment may change; None: it leaves the row as it is, or the place empty.
changes = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(RecordingState),
        "priority": st.sampled_from(Priority),
        "create_time": times,
        "update_time": times,
        "next_attempt_time": times,
        "rung_time": st.none() | times,
        "attempt": st.integers(1, 3),
        "waiting_reason": st.none() | st.sampled_from(WaitingReason),
        "failures_by_reason": st.sampled_from(FAILURES),
        "claimed_by": workers,
        "object_key": st.sampled_from(OBJECT_KEYS),
        "sha256": st.sampled_from(SHA256S),
        "verified_time": st.none() | times,
        "processing": processing,
        "call": st.sampled_from(LABELS).map(lambda labels: CallDetails(labels=labels)),
    },
)


def changing(key: RecordingKey, fields: dict[str, Any] | None) -> Decide:
    def decide(row: Recording | None) -> Recording | None:
        if fields is None:
            return None
        if row is None:
            return with_one_work(a_recording(account_sid=key.account_sid, recording_sid=key.recording_sid, **fields))
        return with_one_work(replace(row, revision=row.revision + 1, **fields))

    return decide


def with_one_work(row: Recording) -> Recording:
    """The row as the service may have it: only what is READY is processed, so no row waits for both kinds of work."""
    is_ready = row.state is RecordingState.READY
    return row if is_ready else replace(row, processing=replace(row.processing, state=None))


class BothCatalogues(RuleBasedStateMachine):
    """Does everything to both. `sql` is set by the test that runs it."""

    sql: Catalogue

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryCatalogue()
        #: What was claimed, as each of them knows it: events have names of their own there.
        self.claimed: list[tuple[Delivery, Delivery]] = []

    def both(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What both answer."""
        expected = getattr(self.memory, method)(*arguments, **named)
        assert getattr(self.sql, method)(*arguments, **named) == expected
        return expected

    @rule(
        changes=st.lists(st.tuples(keys, changes), max_size=6),
        artefacts=st.lists(
            st.builds(Artefact, keys, st.sampled_from(Step), st.sampled_from(SHA256S), st.binary(), speech), max_size=2
        ),
    )
    def amend(self, changes: list[tuple[RecordingKey, dict[str, Any] | None]], artefacts: list[Artefact]) -> None:
        asked = [(key, changing(key, fields)) for key, fields in changes]
        results: list[Amended] = self.both("amend", asked, artefacts)
        assert len(results) == len(changes)

    @rule(key=keys, step=st.sampled_from(Step))
    def look_at_an_artefact(self, key: RecordingKey, step: Step) -> None:
        self.both("artefact", key, step)

    @initialize(rows=st.lists(st.tuples(keys, times, times), min_size=3, max_size=6))
    def begin(self, rows: list[tuple[RecordingKey, Any, Any]]) -> None:
        put = [(key, {"next_attempt_time": due, "rung_time": rung}) for key, due, rung in rows]
        self.both("amend", [(key, changing(key, fields)) for key, fields in put])

    @rule(bells=st.lists(bells, max_size=6), now=times)
    def mark_rung(self, bells: list[Bell], now: Any) -> None:
        self.both("mark_rung", bells, now)

    @rule(heard=st.none() | bells, worker=workers, now=times, work=works, limit=limits)
    def claim(self, heard: Bell | None, worker: str, now: Any, work: Work, limit: int | None) -> None:
        self.both("claim", heard, worker, now, SECOND, work=heard.work if heard else work, limit=limit)

    @rule(bell=bells, received_bytes=st.integers(0, 9), now=times)
    def raise_lease(self, bell: Bell, received_bytes: int, now: Any) -> None:
        self.both("raise_lease", bell, received_bytes, now)

    @rule(objects=st.lists(st.builds(NamedObject, keys, st.sampled_from(OBJECT_KEYS)), max_size=4), now=times)
    def mark_verified(self, objects: list[NamedObject], now: Any) -> None:
        self.both("mark_verified", objects, now)

    @rule(bounds=st.tuples(times, times).map(sorted), size=sizes)
    def look_at_the_verified(self, bounds: list[Any], size: int) -> None:
        self.both("least_verified", *bounds, size)

    @rule(after_revision=st.integers(0, 9), size=sizes, newest=st.booleans())
    def read_the_feed(self, after_revision: int, size: int, newest: bool) -> None:
        position = self.both("number_events")
        # Beyond where the feed has begun anew, too.
        after_revision = max(0, position.revision - after_revision) if newest else after_revision
        expected = self.memory.events(after_revision, size)
        found = self.sql.events(after_revision, size)
        assert [nameless(event) for event in found] == [nameless(event) for event in expected]

    @rule(now=times)
    def begin_the_feed_anew(self, now: Any) -> None:
        self.both("begin_feed_anew", now)

    @rule(passed=st.integers(0, 2), age=st.integers(0, 3), size=sizes)
    def forget_events(self, passed: int, age: int, size: int) -> None:
        self.both("age_events", passed * SECOND)
        self.both("prune_events", age * SECOND, size)
        self.both("feed_position")

    @rule(now=times, size=sizes)
    def schedule_deliveries(self, now: Any, size: int) -> None:
        self.both("begin_deliveries")
        self.both("schedule_deliveries", now, size)

    @rule(now=times, longest=st.integers(1, 3), size=sizes)
    def claim_deliveries(self, now: Any, longest: int, size: int) -> None:
        expected = self.memory.claim_deliveries(now, SECOND, longest * SECOND, size)
        found = self.sql.claim_deliveries(now, SECOND, longest * SECOND, size)
        for one, other in zip(expected, found, strict=True):
            assert nameless(one.event) == nameless(other.event)
            assert (one.attempt, one.failures) == (other.attempt, other.failures)
            self.claimed.append((one, other))

    @rule(data=st.data(), delivered=st.none() | st.booleans(), failed=st.booleans(), now=times)
    def conclude_a_delivery(self, data: st.DataObject, delivered: bool | None, failed: bool, now: Any) -> None:
        if self.claimed:
            one, other = data.draw(st.sampled_from(self.claimed))
            if delivered is None:
                expected = self.memory.put_off_delivery(one, now, failed=failed)
                assert self.sql.put_off_delivery(other, now, failed=failed) == expected
            else:
                expected = self.memory.end_delivery(one, delivered=delivered, now=now)
                assert self.sql.end_delivery(other, delivered=delivered, now=now) == expected
        self.both("count_deliveries")

    @rule(until=times, latest=times)
    def hold_deliveries(self, until: Any, latest: Any) -> None:
        self.both("hold_deliveries", until, latest)

    @rule()
    def resume_deliveries(self) -> None:
        self.both("resume_deliveries")

    @rule(account_sid=accounts, now=times, next_probe_time=times)
    def pause(self, account_sid: str, now: Any, next_probe_time: Any) -> None:
        self.both("pause", account_sid, now, next_probe_time)

    @rule(account_sid=accounts, now=times)
    def resume(self, account_sid: str, now: Any) -> None:
        self.both("resume", account_sid, now)

    @rule(seconds=st.integers(-3, 3), since=times, now=times, later=st.lists(st.tuples(times, times), max_size=2))
    def shift_waits(self, seconds: int, since: Any, now: Any, later: Any) -> None:
        self.both("shift_waits", seconds * SECOND, since, now, later)

    @rule(now=times, latest=times)
    def bound_waits(self, now: Any, latest: Any) -> None:
        self.both("end_overlong_waits", now, latest)
        self.both("hasten_probes", now, latest)

    @rule(now=times, other=times, size=sizes, after=st.none() | bells, account_sid=accounts, work=works, limit=limits)
    def look_at_the_work(
        self, now: Any, other: Any, size: int, after: Bell | None, account_sid: str, work: Work, limit: int | None
    ) -> None:
        self.both("due_unrung", now, other, size, work)
        self.both("due_rung", other, now, size, after, work)
        self.both("count_due_rung", work, limit)
        self.both("backlog", now)
        self.both("most_urgent", account_sid, now)
        self.both("stored", size, after.key if after else None)

    @rule(
        states=st.frozensets(st.sampled_from(RecordingState), max_size=2),
        account_sids=st.frozensets(accounts),
        labels=st.sampled_from(LABELS),
        create_time_from=st.none() | times,
        create_time_before=st.none() | times,
        words=st.none() | searches,
        size=sizes,
        after=st.none() | st.builds(PagePosition, times, accounts, st.sampled_from(RECORDINGS)),
    )
    def list_some(self, size: int, after: PagePosition | None, **narrowed: Any) -> None:
        self.both("page", RecordingFilter(**narrowed), size, after)

    @invariant()
    def both_hold_the_same(self) -> None:
        self.both("page", RecordingFilter(), 100, None)
        self.both("transcript_texts", [RecordingKey(*each) for each in product(ACCOUNTS, RECORDINGS)])
        self.both("paused")
        self.both("claimed")
        for worker in WORKERS:
            self.both("claimed", worker)


@pytest.mark.parametrize("database", DATABASES)
def test_sql_and_memory_answer_alike(database: str, tmp_path: Path, databases: DatabasesWithSchema) -> None:
    class Machine(BothCatalogues):
        def __init__(self) -> None:
            super().__init__()
            url = databases.sqlite(tmp_path) if database == "sqlite" else databases.postgresql()
            self.sql = SqlCatalogue.open(url, migrate=False)

        def teardown(self) -> None:
            self.sql.close()

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None, database=None)
    )

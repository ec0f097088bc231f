"""The functions that RQ imports by name."""

import traceback
from collections.abc import Iterator

import pytest

from recording_service import worker
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Bell, Occasion, ProcessingState, RecordingState, Work
from tests.support.core_world import AUDIO, KEY, World, a_request
from tests.support.steps import RUNNERS


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def installed(world: World) -> Iterator[None]:
    """A worker process of that world."""
    worker.install(world.downloader(), Work.DOWNLOAD, "worker-7")
    yield
    uninstall()


@pytest.fixture
def installed_processor(world: World) -> Iterator[None]:
    """A process of that world that does what follows the download."""
    worker.install(world.processor(RUNNERS), Work.PROCESSING, "processor-7")
    yield
    uninstall()


def uninstall() -> None:
    """As in a process that nothing was installed in."""
    worker._Installed.answerer = None


def rung_for_processing(world: World) -> str:
    """The same of a recording that is here."""
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.work()
    bell = world.queue.hear(Work.PROCESSING)
    assert bell is not None
    return bell.job_id


def rung(world: World) -> str:
    """The name of a job, as it comes off the queue."""
    world.enqueuer().enqueue(a_request())
    bell = world.queue.hear()
    assert bell is not None
    return bell.job_id


@pytest.mark.usefixtures("installed")
def test_a_bell_is_answered_with_the_attempt_that_was_seen_to_an_end(world: World) -> None:
    world.script(AUDIO)
    job_id = rung(world)
    assert worker.download(job_id) == job_id == f"{KEY.account_sid}-{KEY.recording_sid}-1"
    assert world.row().state is RecordingState.READY


@pytest.mark.usefixtures("installed")
def test_a_bell_that_rings_again_does_nothing(world: World) -> None:
    world.script(AUDIO)
    job_id = rung(world)
    worker.download(job_id)
    row = world.row()
    assert worker.download(job_id) is None
    assert world.row() == row


@pytest.mark.usefixtures("installed")
def test_the_claim_is_made_in_the_workers_name(world: World) -> None:
    names: list[str] = []
    world.catalogue.before["claim"] = lambda heard, claimed_by, *_, **__: names.append(claimed_by)
    worker.download(rung(world))
    assert names == ["worker-7"]


@pytest.mark.usefixtures("installed")
def test_before_the_claim_errors_are_raised_so_that_rq_tries_again(world: World) -> None:
    job_id = rung(world)
    world.catalogue.fail(CatalogueUnavailable(), "claim")
    with pytest.raises(worker.BellUnanswered, match="CatalogueUnavailable"):
        worker.download(job_id)


@pytest.mark.usefixtures("installed")
def test_what_rq_keeps_of_an_error_has_no_text_of_it(world: World) -> None:
    job_id = rung(world)
    world.catalogue.fail(LookupError("a row with +15550142857"), "claim")
    with pytest.raises(worker.BellUnanswered) as unanswered:
        worker.download(job_id)
    kept = "".join(traceback.format_exception(unanswered.value))
    assert "LookupError" in kept
    assert "+1555" not in kept


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "job_id", ["", "x", "AC-RE", "AC-RE-x", "AC-RE-1-2", "AC-RE-p", "AC-RE-pp1", "AC-RE-1-echo-echo", "AC-RE--echo"]
)
def test_what_is_no_bell_is_refused(world: World, job_id: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own
        worker.download(job_id)
    assert world.catalogue.calls["claim"] == 0


@pytest.mark.usefixtures("installed_processor")
def test_a_bell_for_processing_is_answered_with_the_attempt_that_was_seen_to_an_end(world: World) -> None:
    job_id = rung_for_processing(world)
    assert worker.process(job_id) == job_id == f"{KEY.account_sid}-{KEY.recording_sid}-p1"
    assert world.row().processing.state is ProcessingState.DONE
    assert worker.process(job_id) is None


@pytest.mark.usefixtures("installed_processor")
def test_before_the_claim_of_processing_errors_are_raised_so_that_rq_tries_again(world: World) -> None:
    job_id = rung_for_processing(world)
    world.catalogue.fail(CatalogueUnavailable(), "claim")
    with pytest.raises(worker.BellUnanswered, match="CatalogueUnavailable"):
        worker.process(job_id)


@pytest.mark.usefixtures("installed_processor")
def test_the_echo_of_an_attempt_is_answered_as_any_bell(world: World) -> None:
    job_id = rung_for_processing(world)
    echo = Bell.from_job_id(job_id).echo
    assert worker.process(echo.job_id) == job_id


def test_a_process_that_is_no_worker_does_nothing(world: World) -> None:
    uninstall()
    for job_id, answer, command in (
        (rung(world), worker.download, "recording-service worker"),
        (Bell(*KEY, 1, Work.PROCESSING).job_id, worker.process, "recording-service process"),
    ):
        with pytest.raises(RuntimeError, match=command):
            answer(job_id)
    assert world.row().state is RecordingState.QUEUED


@pytest.mark.usefixtures("installed")
def test_a_worker_that_downloads_is_asked_for_no_processing(world: World) -> None:
    job_id = rung_for_processing(world)
    with pytest.raises(RuntimeError, match="recording-service process"):
        worker.process(job_id)
    assert world.row().processing.state is ProcessingState.PENDING


@pytest.mark.usefixtures("installed_processor")
def test_a_worker_that_processes_is_asked_for_no_download(world: World) -> None:
    job_id = rung(world)
    with pytest.raises(RuntimeError, match="recording-service worker"):
        worker.download(job_id)
    assert world.row().state is RecordingState.QUEUED


@pytest.mark.parametrize("work", Work)
@pytest.mark.parametrize("occasion", Occasion)
def test_a_bell_is_found_again_by_the_name_of_its_job(work: Work, occasion: Occasion) -> None:
    bell = Bell(*KEY, 12, work, occasion)
    assert Bell.from_job_id(bell.job_id) == bell


def test_no_two_bells_have_the_same_name() -> None:
    bells = {Bell(*KEY, attempt, work, occasion) for attempt in (1, 2) for work in Work for occasion in Occasion}
    assert len({bell.job_id for bell in bells}) == len(bells) == 12

"""The functions that RQ imports by name."""

import traceback
from collections.abc import Iterator

import pytest

from recording_service import worker
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Bell, RecordingState
from tests.support.core_world import AUDIO, KEY, World, a_request


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def installed(world: World) -> Iterator[None]:
    """A worker process of that world."""
    worker.install(world.downloader(), "worker-7")
    yield
    uninstall()


def uninstall() -> None:
    """As in a process that nothing was installed in."""
    worker._Installed.downloader = None


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
    world.catalogue.before["claim"] = lambda heard, claimed_by, now, probe: names.append(claimed_by)
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
@pytest.mark.parametrize("job_id", ["", "x", "AC-RE", "AC-RE-x", "AC-RE-1-2"])
def test_what_is_no_bell_is_refused(world: World, job_id: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own
        worker.download(job_id)
    assert world.catalogue.calls["claim"] == 0


def test_a_process_that_is_no_worker_downloads_nothing(world: World) -> None:
    uninstall()
    job_id = rung(world)
    with pytest.raises(RuntimeError, match="not a recording worker"):
        worker.download(job_id)
    assert world.row().state is RecordingState.QUEUED


def test_a_bell_is_found_again_by_the_name_of_its_job() -> None:
    bell = Bell(*KEY, 12)
    assert Bell.from_job_id(bell.job_id) == bell

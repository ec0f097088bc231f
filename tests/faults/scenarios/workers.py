"""Workers that die, stand still, are stopped, and are poisoned."""

import json
import signal
from contextlib import suppress
from typing import Any

from recording_service.twilio_stand_in.gate import Gate
from tests.faults.scenario import scenario
from tests.faults.scenarios.stopping import nothing_was_burned
from tests.faults.world import World
from tests.support.processes import Process
from tests.support.waiting import eventually

#: The steps of a download at which its process is killed.
STEPS = (
    "worker.bell_heard",
    "download.after_claim",
    "download.source_opened",
    "download.chunk_written",
    "download.before_publish",
    "upload.before_fsync",
    "upload.after_fsync",
    "upload.after_link",
    "upload.after_unlink",
    "upload.after_folder_flush",
    "download.before_ready",
    "download.after_ready",
    "download.remains_removed",
)


def _in_mid_download(world: World) -> tuple[str, Process, Process, Gate]:
    """A recording of which a part has come: its SID, its worker, its work-horse, and the gate that holds the rest."""
    [recording_sid] = world.add(1, shortest=20.0, longest=40.0)
    gate = world.twilio.hold(recording_sid, after=world.chance.randint(1, 40_000))
    assert world.callers.enqueue(recording_sid).status == "OK"
    gate.wait_reached()
    # As long as the gate is shut, Twilio says nothing more in this connection; whoever takes over asks anew.
    worker = _worker_at(world, recording_sid)
    return recording_sid, worker, worker.children()[0], gate


@scenario(9)
def worker_killed(world: World) -> None:
    """A worker is killed in mid download: its work-horse goes with it, another one takes over."""
    _, worker, horse, _ = _in_mid_download(world)
    worker.kill()
    world.strike("worker killed")
    horse.wait_for_end()


@scenario(10)
def work_horse_killed(world: World) -> None:
    """A work-horse is killed in mid download."""
    recording_sid, _, horse, _ = _in_mid_download(world)
    horse.kill()
    world.strike(f"work-horse killed while at {recording_sid}")


@scenario(10)
def work_horse_killed_at_a_step(world: World) -> None:
    """A work-horse is killed at one of the steps of a download, and so is the one that takes over."""
    step = STEPS[world.seed % len(STEPS)]
    world.restart_with_failpoints(f"{step}=kill@1,{step}=kill@{world.chance.randint(2, 3)}")
    with world.fault(f"killed at {step}"):
        for recording_sid in world.add(3, shortest=8.0, longest=12.0):
            assert world.callers.enqueue(recording_sid).status == "OK"
        eventually((world.failpoints / "reached").exists, within=30.0, what=f"reaching {step}")


@scenario(11)
def worker_stopped_and_continued(world: World) -> None:
    """A worker and its work-horse stand still for longer than a lease lasts, and then go on."""
    recording_sid, worker, horse, gate = _in_mid_download(world)
    for process in (worker, horse):
        process.stop()
    world.strike("worker and work-horse stand still")
    world.settle()
    row = _all_but_the_scrubs(world, recording_sid)
    # The late work-horse gets the rest, and comes as far as it is let.
    gate.release()
    # On a busy machine they may have stood still for so long that they were ended.
    with suppress(ProcessLookupError):
        for process in (horse, worker):
            process.go_on()
    world.history.struck("they go on")
    horse.wait_for_end(within=60.0)
    assert _all_but_the_scrubs(world, recording_sid) == row, "a late work-horse has changed the row"


def _all_but_the_scrubs(world: World, recording_sid: str) -> dict[str, object]:
    row = world.catalogue.row(recording_sid)
    assert row is not None
    return {column: value for column, value in row.items() if column != "verified_time"}


@scenario(12)
def worker_terminated(world: World) -> None:
    """A worker is asked to stop, and asked again or killed because it takes too long."""
    recording_sid, worker, _, _ = _in_mid_download(world)
    again = world.chance.choice([signal.SIGTERM, signal.SIGKILL])
    with world.fault(f"worker terminated, and then {again.name}"):
        worker.send(signal.SIGTERM)
        asked_at = world.history.seconds()
        # RQ takes a second signal that comes within a second for the same one.
        eventually(lambda: world.history.seconds() > asked_at + 1.2, what="the second signal's time")
        # READY forgets failures: whoever takes over is held as well.
        next_gate = world.twilio.hold(recording_sid, after=0)
        worker.send(again)
        worker.wait_for_end(within=30.0)
        next_gate.wait_reached(world.recovery_seconds)
        assert again is signal.SIGKILL or not world.spent(), "a clean stop was counted as a failure"
        next_gate.release()


@scenario(12)
def everything_terminated_and_started_again(world: World) -> None:
    """The whole process group is asked to stop in the middle of its work, and started again."""
    recording_sid, _, _, _ = _in_mid_download(world)
    more = world.add(10)
    world.callers.batch(more)
    with world.fault("SIGTERM to every process at once"):
        for process in world.processes.everything():
            process.send(signal.SIGTERM)
        world.twilio.behave_well(recording_sid)
        assert world.terminate_service() == 0
        nothing_was_burned(world)
        world.start_service()


@scenario(31)
def poison(world: World) -> None:
    """One recording crashes every process that downloads it: it is given up, the others are not."""
    [poison], others = world.add(1), world.add(10)
    world.cannot_be_had(poison)
    crashes = 0
    with world.fault("poison"):
        gate = world.twilio.hold(poison, after=100)
        assert world.callers.enqueue(poison).status == "OK"
        world.callers.batch(others)
        while _comes_again(world, poison, gate):
            crashes += 1
            next_gate = world.twilio.hold(poison, after=100)
            _worker_at(world, poison).children()[0].kill()
            gate = next_gate
    row = world.catalogue.row(poison)
    assert row is not None
    assert row["failure_reason"] == "worker_crashed", row
    counted = json.loads(str(row["failures_by_reason"]))
    assert counted == {"worker_crashed": crashes}, f"{crashes} crashes, {counted} were counted"
    world.wait_for(others, "ready", within=world.recovery_seconds)


def _comes_again(world: World, poison: str, gate: Gate) -> bool:
    """Waits for the next attempt's request, or the recording's end; whether it was a request."""
    eventually(
        lambda: gate.arrivals > 0 or world.state(poison) == "failed",
        within=world.recovery_seconds + 60.0 * world.time_scale,
        what="the next attempt",
    )
    return gate.arrivals > 0


def _worker_at(world: World, recording_sid: str) -> Process:
    """The worker that has claimed the recording: its name in the catalogue holds its process id."""
    row = world.catalogue.row(recording_sid)
    assert row is not None
    pid = int(str(row["claimed_by"]).split("-")[-2])
    return next(worker for worker in world.processes.workers() if worker.pid == pid)


@scenario(31, 35, expects_tracebacks=True)
def hostile_job_hashes(world: World) -> None:
    """Job hashes in Redis are garbage, of another version, or name functions that must not run: no worker stops."""
    marker = world.folder / "was-run"
    client = world.redis.client()
    sids = world.add(8)
    gates = [world.twilio.hold(recording_sid, after=0) for recording_sid in sids[:2]]
    for recording_sid in sids:
        assert world.callers.enqueue(recording_sid).status == "OK"
    for gate in gates:
        gate.wait_reached()
    touch = json.dumps([f"touch {marker}"])
    evil: list[dict[Any, Any]] = [
        {"data": json.dumps(["os.system", None, [f"touch {marker}"], {}])},
        {"data": b"\x80\x04garbage"},
        {"status": "no such status"},
        {"data": json.dumps(["recording_service.worker.download_of_the_next_version", None, ["x"], {}])},
        {"created_at": "not a date", "timeout": "soon"},
        {"success_callback_name": "os.system", "data": touch},
    ]
    workers = world.processes.workers()
    with world.fault("hostile job hashes"):
        for key in client.keys("rq:job:*"):
            client.hset(key, mapping=world.chance.choice(evil))
        for gate in gates:
            gate.release()
    world.settle()
    assert not marker.exists(), "a job that is not ours was run"
    assert world.processes.workers() == workers, "a worker has died of a job hash"

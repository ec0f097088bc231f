"""The sweep over every step: kill whoever reaches the n-th failpoint, for n = 1, 2, 3 … until nobody is killed."""

from collections.abc import Callable

from tests.faults.checker import Checker
from tests.faults.world import World
from tests.support.waiting import eventually

#: More steps than the happy path has: beyond it something never ends.
MOST_STEPS = 500


def sweep(world: World, say: Callable[[str], None], first: int = 1, stride: int = 1) -> list[str]:
    """Kills at each step in turn, or at each `stride`-th; what did not hold, a line each."""
    for step in range(first, first + MOST_STEPS, stride):
        problems, reached = _killed_at(world, step)
        killed = len(reached) >= step
        name = reached[step - 1] if killed else "nobody was killed"
        say(f"{step:4}  {name}: {len(problems)} problems")
        if problems:
            return [f"killed at step {step} ({name}): {problem}" for problem in problems]
        if not killed:
            return []
    return [f"no end after {MOST_STEPS} steps"]


def _killed_at(world: World, step: int) -> tuple[list[str], list[str]]:
    """Goes the happy path with a kill on the way; what did not hold, and the steps that were reached."""
    world.restart_with_failpoints(f"*=kill@{step}")
    enqueued, called, deleted = world.add(3, shortest=1.0, longest=2.0)
    world.strike(f"killed at step {step}")
    patience = world.recovery_seconds
    for recording_sid in (enqueued, deleted):
        world.callers.enqueue_until_answered(recording_sid, within=patience)
    eventually(lambda: world.callers.webhook(called).status == "200", within=patience, what="the webhook's 200")
    world.settle()
    for recording_sid in (enqueued, called):
        eventually(lambda: world.callers.stream(recording_sid).status == "OK", within=patience, what="the bytes")  # noqa: B023
    eventually(lambda: world.callers.delete(deleted).status == "OK", within=patience, what="the deletion")
    world.mended()
    world.settle()
    checker = Checker(world.history, world.twilio, world.shelf, world.catalogue)
    reached = (world.failpoints / "reached").read_text().splitlines()
    return [str(violation) for violation in checker.violations()], [line.split()[1] for line in reached]

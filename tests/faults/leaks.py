"""Secrets where they must not be (I7)."""

from tests.faults.canaries import Canaries
from tests.faults.secrets import SECRETS
from tests.faults.wording import CALLERS_OWN
from tests.faults.world import World

#: Most leaks that are told: what leaks once, leaks with every answer.
MOST_LEAKS = 20


def leaks(world: World) -> list[str]:
    """Each secret of the world's in the service's log, Redis and its log, rows and answers, a line each."""
    canaries = Canaries(SECRETS)
    # A row is where callers' own words belong.
    written = [
        {column: value for column, value in row.items() if column not in CALLERS_OWN} for row in world.catalogue.rows()
    ]
    found = canaries.in_files(world.log, world.redis.log_file)
    found += canaries.in_redis(world.redis.dump())
    found += canaries.in_rows(written, "recordings")
    for answer in world.history.answers:
        found += canaries.in_text(answer.words, f"the answer to {answer.method} at {answer.asked_at:.2f} s")
    return [f"I7 {finding}" for finding in found[:MOST_LEAKS]]

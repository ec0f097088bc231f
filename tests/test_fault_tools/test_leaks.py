"""Secrets are found in each place where they must not be, and are not missed because nobody has told them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.faults.history import Answer
from tests.faults.leaks import leaks
from tests.faults.secrets import AUTH_TOKEN, FROM_NUMBER, REDIS_PASSWORD, SOURCE_PASSWORD, SOURCE_TOKEN, TO_NUMBER
from tests.faults.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which a back end and Twilio have told their secrets."""
    folder = tmp_path_factory.mktemp("world")
    world = World(folder, 1, time_scale=0.1)
    try:
        over_grpc, over_http = world.add(2)
        world.ready([over_grpc])
        assert world.callers.webhook(over_http).status == "200"
        world.settle()
        world.play_everything()
        world.tell_secrets()
        yield world
    finally:
        world.close()


def test_secrets_are_told_and_leak_nowhere(world: World) -> None:
    rows = world.catalogue.rows()

    assert {FROM_NUMBER, TO_NUMBER} <= {str(row[column]) for row in rows for column in ("from_number", "to_number")}
    assert any(SOURCE_TOKEN in str(row["source_url"]) for row in rows)
    assert leaks(world) == []


def in_the_log(world: World) -> None:
    with world.log.open("a") as log:
        log.write(f"GET /Recordings/RE1.mp3?token={SOURCE_TOKEN} failed\n")


def in_redis_log(world: World) -> None:
    with world.redis.log_file.open("a") as log:
        log.write(f"AUTH {REDIS_PASSWORD}\n")


def in_redis(world: World) -> None:
    with world.redis.client() as client:
        client.hset("rq:job:1", "exc_info", f"Caller: {FROM_NUMBER}")


def in_a_row(world: World) -> None:
    with closing(sqlite3.connect(f"{world.folder}/data/catalogue.sqlite3")) as connection, connection:
        connection.execute("UPDATE recordings SET failure_message = ?", (f"401 for {AUTH_TOKEN}",))


def in_an_answer(world: World) -> None:
    words = f"source_url: https://somebody:{SOURCE_PASSWORD}@api.twilio.com is not allowed"
    world.history.told(Answer(1.0, 1.1, "enqueue", "RE1", "INVALID_ARGUMENT", "INVALID_REQUEST", words=words))


@pytest.mark.parametrize(
    ("leak", "where"),
    [
        (in_the_log, "service.log"),
        (in_redis_log, "redis.log"),
        (in_redis, "Redis' hash rq:job:1"),
        (in_a_row, "recordings.failure_message"),
        (in_an_answer, "the answer to enqueue at 1.00 s"),
    ],
)
def test_a_secret_is_found(world: World, leak: Callable[[World], None], where: str) -> None:
    before = leaks(world)

    leak(world)

    found = [one for one in leaks(world) if one not in before]
    assert found
    assert all(one.startswith("I7 ") and where in one for one in found)

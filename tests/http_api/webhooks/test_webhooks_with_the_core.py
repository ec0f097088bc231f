"""Webhooks over the real core: whatever order they come in, the row is what it should be (reliability.md B3 #26)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from recording_service.core.model import FailureReason, Recording, RecordingKey, RecordingState
from recording_service.core.requests import RequestChecker, Target
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.http_api.webhooks.forms import Form
from recording_service.http_api.webhooks.signatures import signed_parameters
from tests.http_api.conftest import TOKEN, Settings
from tests.http_api.running_app import PUBLIC_URL, Client, running_app
from tests.support.core_world import ACCOUNT, AUDIO, KEY, World, a_key
from tests.support.grpc_server import signer
from tests.support.steps import RUNNERS

PATH = "/webhooks/twilio/recording-status"
DAY_SECONDS = 24 * 3600
SECOND = a_key(2)
READY, FAILED, DELETED = RecordingState.READY, RecordingState.FAILED, RecordingState.DELETED


class Scene:
    """An adapter before a service before a core in memory."""

    def __init__(self, world: World, client: Client, delete: Callable[[RecordingKey], object]) -> None:
        self.world = world
        self._client = client
        self._delete = delete

    def happens(self, event: str) -> str:
        """One event: a status that Twilio sends, perhaps forged or of the second recording, or something else.

        Returns what a webhook was answered with.
        """
        if event == "fetched":
            self.world.work()
        elif event == "processed":
            self.world.process(self.world.processor(RUNNERS))
        elif event == "a day passes":
            self.world.clock.advance(DAY_SECONDS)
        elif event == "deleted":
            self._delete(KEY)
        else:
            return self._send(event)
        return ""

    def row(self, key: RecordingKey = KEY) -> Recording | None:
        return self.world.catalogue.adapter.get(key)

    def _send(self, event: str) -> str:
        status, _, manner = event.partition(" ")
        key = SECOND if manner == "second" else KEY
        form = {
            "AccountSid": key.account_sid,
            "CallSid": "CA" + "2c" * 16,
            "RecordingSid": key.recording_sid,
            "RecordingStatus": status,
        }
        body = urlencode(form).encode()
        token = "somebody else's" if manner == "forged" else TOKEN
        text = PUBLIC_URL + PATH + signed_parameters(Form.parse(body))
        signed = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed}
        answer = self._client.request("POST", PATH, headers, body)
        assert answer.status == (403 if manner == "forged" else 200)
        return str(answer.json()["reason"])


@contextmanager
def played(settings: Settings) -> Iterator[Scene]:
    world = World()
    for key in (KEY, SECOND):
        world.script(AUDIO, key=key)
    with closing(world.service()) as service:
        checker = RequestChecker(account_sids={ACCOUNT}, source_hosts=())
        server = RecordingGrpcServer(service, checker, signer(), GrpcServerSettings(address="127.0.0.1:0"))
        target = f"127.0.0.1:{server.start()}"
        with running_app(settings(grpc_target=target, auth_tokens={ACCOUNT: (TOKEN,)})) as client:
            yield Scene(world, client, lambda key: service.delete(Target(*key), allow_missing=False))
        server.stop(0)


class Course(NamedTuple):
    """What happens, what each webhook is answered with, and what is there in the end."""

    events: Sequence[str]
    answers: Sequence[str]
    state: RecordingState | None
    fetched: int


COURSES = {
    "in order": Course(["in-progress", "completed", "fetched"], ["IGNORED", "ENQUEUED"], READY, 1),
    "completed before in-progress": Course(
        ["completed", "in-progress", "fetched", "in-progress"], ["ENQUEUED", "IGNORED", "IGNORED"], READY, 1
    ),
    "twice before it is fetched": Course(
        ["completed", "completed", "fetched", "fetched"], ["ENQUEUED", "DUPLICATE"], READY, 1
    ),
    "absent after completed": Course(["completed", "fetched", "absent"], ["ENQUEUED", "REPORTED"], READY, 1),
    "failed after completed": Course(["completed", "fetched", "failed"], ["ENQUEUED", "REPORTED"], READY, 1),
    "replayed a day later": Course(
        ["completed", "fetched", "processed", "a day passes", "completed", "in-progress", "absent", "fetched"],
        ["ENQUEUED", "CACHED", "IGNORED", "REPORTED"],
        READY,
        1,
    ),
    "replayed before it is processed": Course(
        ["completed", "fetched", "completed", "processed", "completed"], ["ENQUEUED", "DUPLICATE", "CACHED"], READY, 1
    ),
    "absent, replayed a day later": Course(
        ["absent", "a day passes", "absent", "in-progress", "fetched"], ["REPORTED", "REPORTED", "IGNORED"], FAILED, 0
    ),
    "absent before it is fetched": Course(["completed", "absent", "fetched"], ["ENQUEUED", "REPORTED"], FAILED, 0),
    "deleted, and then all over again": Course(
        ["completed", "fetched", "deleted", "completed", "absent", "in-progress", "fetched"],
        ["ENQUEUED", "DELETED", "REPORTED", "IGNORED"],
        DELETED,
        1,
    ),
    "deleted, and a day later": Course(
        ["completed", "fetched", "deleted", "a day passes", "completed", "fetched"],
        ["ENQUEUED", "DELETED"],
        DELETED,
        1,
    ),
    "two recordings of one call": Course(
        ["completed", "completed second", "fetched", "absent second"], ["ENQUEUED", "ENQUEUED", "REPORTED"], READY, 1
    ),
    "nothing but forged ones": Course(
        ["completed forged", "absent forged", "in-progress forged", "fetched"], ["SIGNATURE_INVALID"] * 3, None, 0
    ),
    "forged ones in between": Course(
        ["completed", "absent forged", "fetched", "failed forged", "completed forged"],
        ["ENQUEUED", "SIGNATURE_INVALID", "SIGNATURE_INVALID", "SIGNATURE_INVALID"],
        READY,
        1,
    ),
    "only what asks for nothing": Course(
        ["in-progress", "paused", "stopped", "processing", "a-status-of-the-future", "fetched"],
        ["IGNORED"] * 5,
        None,
        0,
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_in_whatever_order_webhooks_come_the_row_is_what_it_should_be(settings: Settings, name: str) -> None:
    course = COURSES[name]
    with played(settings) as scene:
        answers = [answer for event in course.events if (answer := scene.happens(event))]
        row = scene.row()
        assert answers == course.answers
        assert (row.state if row else None) is course.state
        assert scene.world.twilio.asked.count(KEY) == course.fetched


@pytest.mark.parametrize("event", ["in-progress", "absent", "failed", "completed", "absent forged", "completed forged"])
def test_a_recording_that_is_there_is_not_touched_by_anything_that_comes_later(settings: Settings, event: str) -> None:
    with played(settings) as scene:
        for first in ("completed", "fetched"):
            scene.happens(first)
        before = scene.row()
        for each in ("a day passes", event, event, "fetched"):
            scene.happens(each)
        assert scene.row() == before


def test_two_recordings_of_one_call_do_not_touch_each_other(settings: Settings) -> None:
    with played(settings) as scene:
        for event in ("completed", "absent second", "fetched"):
            scene.happens(event)
        first, second = scene.row(), scene.row(SECOND)
    assert first is not None
    assert second is not None
    assert first.call.call_sid == second.call.call_sid != ""
    assert (first.state, second.state) == (READY, FAILED)
    assert second.failure_reason is FailureReason.SOURCE_ABSENT

"""Recognisable secrets go in everywhere, through everything that goes well or wrong, and come out nowhere (I7)."""

import base64
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import grpc
import pytest
import requests
from google.rpc import status_pb2
from sqlalchemy import Connection, create_engine

from recording_service.twilio_stand_in.answers import redirect
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_pb2, stream_pb2
from tests.faults.canaries import Canaries, Finding
from tests.faults.redis_process import RedisProcess
from tests.support.databases import DATABASES, postgresql_schema
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import ACCOUNT_SID, RunningService, free_port, running_service
from tests.support.waiting import eventually

#: What must be found nowhere. With characters that URLs, JSON and Base64 each write differently.
SECRETS: Mapping[str, str] = {
    "auth token": "canary-Auth+Token/1=one",
    "second auth token": "canary-Auth+Token/2=two",
    "api key": "SK" + "ca9a12" * 5 + "77",
    "api secret": 'canary-Api"Secret\\three',
    "refused api secret": "canary-Api-Secret-refused",
    "redis password": "canary:Redis@Pass/word?4",
    "database password": "canary:Database@Pass/word#5",
    "user of a source URL": "canary-user-6",
    "password of a source URL": "canary-password-7",
    "query of a source URL": "canary-query-8",
    "query of a playback URL": "canary-signature-9",
    "token of a caller": "canary-caller-token-11",
    "token of the adapter": "canary-adapter-token-12-canary-adapter-token-12",
    "wrong token": "canary-wrong-token-13",
    "playback key": "canary-playback-key-14" * 2,
}
#: What the catalogue stores, because it was asked to, and answers to callers; nobody else is to see it.
PERSONAL: Mapping[str, str] = {
    "caller": "+15550142857",
    "called": "+442079460958",
    "label": "canary-label-10",
}
CALLER, CALLED, LABEL = PERSONAL.values()
#: All of them, as they are looked for.
CANARIES = Canaries({**SECRETS, **PERSONAL})
#: What the caller shows over HTTP.
AS_THE_CALLER = {"Authorization": f"Bearer {SECRETS['token of a caller']}"}
#: An MP3, as far as its first bytes say.
MAGIC = bytes.fromhex("fff340c4")
WEBHOOK = "/webhooks/twilio/recording-status"


class ForeignHost:
    """A server that nobody is to be sent to with credentials; it keeps all that it is sent."""

    def __init__(self) -> None:
        requests_seen: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests_seen.append(f"{self.requestline}\n{self.headers}".encode())
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.requests = requests_seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "ForeignHost":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _without_the_recording(details: bytes) -> bytes:
    """The details of a status without the recording in a failed enqueue's (design.md §3): it is the caller's own."""
    status = status_pb2.Status.FromString(details)
    for detail in status.details:
        response = enqueue_pb2.EnqueueRecordingResponse()
        if detail.Unpack(response):
            for field in ("from_number", "to_number", "labels"):
                response.recording.ClearField(field)
            detail.Pack(response)
    return bytes(status.SerializeToString())


class Scene:
    """The service with its secrets, and everything around it."""

    def __init__(
        self, service: RunningService, twilio: TwilioStandIn, redis: RedisProcess, foreign: ForeignHost
    ) -> None:
        self.service = service
        self.twilio = twilio
        self.redis = redis
        self.foreign = foreign
        #: What was seen of them where it should not be.
        self.found: list[Finding] = []

    def look(self, where: str, what: bytes | str) -> None:
        """Looks for secrets and numbers in something that the service has let out."""
        self.found += CANARIES.in_bytes(what, where) if isinstance(what, bytes) else CANARIES.in_text(what, where)

    def look_at_redis(self) -> int:
        """Looks at everything that Redis holds, job data unpacked; how many keys that are."""
        keys = self.redis.dump()
        self.found += CANARIES.in_redis(keys)
        return len(keys)

    def recording(self, size: int = 20_000) -> str:
        """The SID of a new recording of Twilio's."""
        return self.twilio.add_recording(body=MAGIC + os.urandom(size)).recording_sid

    def request(self, recording_sid: str, **fields: Any) -> enqueue_pb2.EnqueueRecordingRequest:
        """An enqueue with everything that is personal."""
        personal: dict[str, Any] = {
            "account_sid": ACCOUNT_SID,
            "from_number": CALLER,
            "to_number": CALLED,
            "labels": {"case": LABEL},
        }
        return enqueue_pb2.EnqueueRecordingRequest(recording_sid=recording_sid, **(personal | fields))

    def call(self, method: str, request: Any) -> grpc.StatusCode:
        """Makes a call and notes all that is said if it fails; its code."""
        try:
            answer = getattr(self.service.stub, method)(request, timeout=20.0)
            if not hasattr(answer, "DESCRIPTOR"):
                list(answer)
        except grpc.RpcError as error:
            failed: Any = error
            self.look(f"the text of a failed {method}", failed.details() or "")
            for key, value in (*(failed.initial_metadata() or ()), *(failed.trailing_metadata() or ())):
                said = _without_the_recording(value) if key == "grpc-status-details-bin" else value
                self.look(f"metadata {key} of a failed {method}", said)
            code: grpc.StatusCode = failed.code()
            return code
        return grpc.StatusCode.OK

    def webhook(self, recording_sid: str, **overrides: Any) -> int:
        """Sends a webhook with everything that is personal; the status of its answer, which is noted."""
        parameters = {"From": CALLER, "To": CALLED, "Caller": CALLER, **overrides}
        answer = self.twilio.send_webhook(f"{self.service.http_url}{WEBHOOK}", recording_sid, **parameters)
        self.look("a webhook's answer", repr(answer))
        return answer.status

    def get(self, path: str, token: str | None = None) -> int:
        """GETs a path as the caller, or with another token; the answer's status. Body and header are noted."""
        headers = AS_THE_CALLER if token is None else {"Authorization": f"Bearer {token}"}
        url = f"{self.service.http_url}{path}"
        answer = requests.get(url, headers=headers, timeout=20.0, allow_redirects=False)
        self.look(f"the header of GET {path.split('?')[0]}", repr(answer.headers))
        self.look(f"the body of GET {path.split('?')[0]}", answer.content)
        return answer.status_code

    def look_at_processes(self) -> None:
        """Notes the command line of every process there is, as `ps` shows it."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(FileNotFoundError, ProcessLookupError):
                self.look(f"{file}", file.read_bytes())

    def command(self, name: str, **variables: str) -> int:
        """Runs a command of ours with the service's environment and these variables; its exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "recording_service", name],
            env=self.service.environment | variables,
            capture_output=True,
            timeout=60,
            check=False,
        )
        self.look(f"the output of {name} {' '.join(variables)}", done.stdout + done.stderr)
        return done.returncode


@pytest.fixture(params=DATABASES)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    redis = RedisProcess(tmp_path / "redis", append_only=False, password=SECRETS["redis password"])
    with (
        _database(request.param) as database,
        ForeignHost() as foreign,
        _twilio() as twilio,
        redis,
        running_service(
            tmp_path,
            twilio,
            GrpcClient(SECRETS["token of a caller"]),
            RECORDING_CALLERS_FILE=str(_callers(tmp_path)),
            RECORDING_GRPC_TOKEN=SECRETS["token of the adapter"],
            RECORDING_PLAYBACK_KEYS=f"k1:{SECRETS['playback key']}",
            TWILIO_AUTH_TOKEN=f"{SECRETS['auth token']},{SECRETS['second auth token']}",
            TWILIO_API_KEY=SECRETS["api key"],
            TWILIO_API_SECRET=SECRETS["api secret"],
            RECORDING_REDIS_URL=redis.url,
            RECORDING_LOG_LEVEL="DEBUG",
            RECORDING_TIME_SCALE="0.05",
            RECORDING_WORKERS="1",
            **database,
        ) as service,
    ):
        yield Scene(service, twilio, redis, foreign)


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with postgresql_schema() as url:
        user, rest = url.split("@", 1)
        yield {"RECORDING_DATABASE_URL": f"{user}:{quote(SECRETS['database password'], safe='')}@{rest}"}


def _callers(folder: Path) -> Path:
    file = folder / "callers.toml"
    digest = hashlib.sha256(SECRETS["token of a caller"].encode()).hexdigest()
    file.write_text(f'[caller]\ntoken_hashes = ["{digest}"]\nscopes = ["enqueue", "read", "manage"]\naccounts = "*"\n')
    return file


def _twilio() -> TwilioStandIn:
    return TwilioStandIn(
        account_sid=ACCOUNT_SID,
        auth_token=SECRETS["auth token"],
        api_key=SECRETS["api key"],
        api_secret=SECRETS["api secret"],
    )


def test_no_secret_and_no_number_gets_out_whatever_happens(scene: Scene) -> None:
    all_goes_well(scene)
    bad_input(scene)
    a_redirect_to_a_foreign_host(scene)
    credentials_that_are_refused(scene)
    a_worker_that_dies(scene)
    a_catalogue_that_is_broken(scene)
    redis_that_is_gone(scene)
    commands_that_are_configured_wrongly(scene)
    scene.found += CANARIES.in_files(scene.service.folder / "serve.log", scene.redis.log_file)
    for request in scene.foreign.requests:
        scene.look("a request to a foreign host", request)

    assert [str(finding) for finding in scene.found] == []
    stored = [finding for where, dump in _stored(scene.service) for finding in CANARIES.in_bytes(dump, where)]
    # The search has teeth where something is to be found: the numbers are stored, because they were asked to be.
    assert {finding.secret for finding in stored} == set(PERSONAL), stored


def all_goes_well(scene: Scene) -> None:
    """Enqueued by gRPC and by webhook (signed by either token), downloaded, watched, played."""
    over_grpc, over_http = scene.recording(), scene.recording()
    assert scene.call("EnqueueRecording", scene.request(over_grpc)) is grpc.StatusCode.OK
    assert scene.webhook(over_http) == 200
    for sid in (over_grpc, over_http):
        scene.service.ready(sid)
    assert scene.service.get(over_grpc).from_number == CALLER
    signed_by_the_second = scene.recording()
    assert scene.webhook(signed_by_the_second, auth_token=SECRETS["second auth token"]) == 200
    assert scene.get(f"/recordings/{over_grpc}/stream") == 200
    assert scene.get(f"/recordings/{over_grpc}/stream?signature={SECRETS['query of a playback URL']}") == 403
    assert scene.get(f"/recordings/{over_grpc}/stream", SECRETS["wrong token"]) == 401
    assert scene.get("/session") == 200
    # Its body has the numbers: they are its metadata.
    answer = requests.get(f"{scene.service.http_url}/recordings/{over_grpc}", headers=AS_THE_CALLER, timeout=20.0)
    assert answer.status_code == 200
    scene.look_at_processes()
    assert scene.look_at_redis() > 0


def bad_input(scene: Scene) -> None:
    """Secrets in fields where they are wrong: they are refused, and not quoted."""
    sid = scene.recording()
    source = (
        f"https://{SECRETS['user of a source URL']}:{SECRETS['password of a source URL']}@recordings.example.org"
        f"/x?token={SECRETS['query of a source URL']}"
    )
    for request in (
        scene.request(sid, source_url=source),
        scene.request(sid, source_url=source.replace("recordings.example.org", "127.0.0.1")),
        scene.request(sid, from_number=f"{CALLER} is no number" * 50),
        scene.request(sid, labels={LABEL * 20: LABEL}),
        scene.request(sid, labels={f"key-{number}": LABEL for number in range(40)}),
        scene.request(CALLER),
        scene.request(SECRETS["query of a source URL"]),
    ):
        scene.call("EnqueueRecording", request)
        scene.call("BatchEnqueueRecordings", enqueue_pb2.BatchEnqueueRecordingsRequest(requests=[request]))
    scene.call("GetRecording", lookup_pb2.GetRecordingRequest(recording_sid=CALLER))
    scene.call("StreamRecording", stream_pb2.StreamRecordingRequest(recording_sid=SECRETS["query of a source URL"]))
    page_token = SECRETS["query of a source URL"]
    assert (
        scene.call("ListRecordings", lookup_pb2.ListRecordingsRequest(page_token=page_token)) is not grpc.StatusCode.OK
    )
    assert scene.webhook(sid, auth_token="a-wrong-token") == 403
    assert scene.webhook(sid, headers={"X-Twilio-Signature": None}) == 403
    assert scene.webhook(sid, RecordingSid=CALLER) == 400
    scene.webhook(sid, RecordingUrl=source)
    scene.webhook(sid, RecordingDuration=CALLER, RecordingChannels=CALLER, RecordingStatus=CALLER)
    for path in ("/recordings/none/stream", "/nothing", f"/recordings/RE{'f' * 32}"):
        assert scene.get(f"{path}?signature={SECRETS['query of a playback URL']}") in (400, 403, 404)


def a_redirect_to_a_foreign_host(scene: Scene) -> None:
    """By another name, and to another port of the same."""
    for host in ("localhost", "127.0.0.1"):
        sid = scene.recording()
        location = f"http://{host}:{scene.foreign.port}/stolen?token={SECRETS['query of a source URL']}"
        scene.twilio.behave(sid, redirect(location), times=3)
        assert scene.call("EnqueueRecording", scene.request(sid)) is grpc.StatusCode.OK
        last = scene.service.watch(sid)[-1]
        assert last.state == recording_pb2.RECORDING_STATE_FAILED
        scene.look("why it failed", last.failure_message)


def credentials_that_are_refused(scene: Scene) -> None:
    """401 until Twilio takes them again."""
    accept, refuse = SECRETS["api secret"], SECRETS["refused api secret"]
    sid = scene.recording()

    def twilio_takes(secret: str) -> None:
        token, key = SECRETS["auth token"], SECRETS["api key"]
        scene.twilio.add_account(ACCOUNT_SID, token, api_key=key, api_secret=secret)

    twilio_takes(refuse)
    scene.call("EnqueueRecording", scene.request(sid))
    eventually(
        lambda: scene.service.get(sid).waiting_reason == recording_pb2.WAITING_REASON_ACCOUNT_UNAUTHORIZED,
        what="the account's pause",
    )
    assert scene.command("doctor") != 0
    scene.look_at_redis()
    twilio_takes(accept)
    scene.service.ready(sid)


def a_worker_that_dies(scene: Scene) -> None:
    """Its work-horse is killed amid a download."""
    sid = scene.recording(size=200_000)
    gate = scene.twilio.hold(sid, after=50_000)
    scene.call("EnqueueRecording", scene.request(sid))
    gate.wait_reached()
    scene.look_at_processes()
    [worker] = scene.service.parts("worker-")
    [horse] = worker.children()
    horse.kill()
    gate.release()
    scene.service.ready(sid)
    scene.look_at_redis()


def a_catalogue_that_is_broken(scene: Scene) -> None:
    """Refuses rows, lacks a column, is locked: exceptions that nobody expects, whose texts quote what was refused."""
    sid = scene.recording()
    with _sql(scene.service) as execute:
        breaks, mends = _BREAKING[_is_sqlite(scene.service)]
        for broken, mended in zip(breaks, mends, strict=True):
            execute(broken)
            try:
                assert scene.call("EnqueueRecording", scene.request(sid)) is not grpc.StatusCode.OK
                assert scene.webhook(sid) == 500
            finally:
                execute(mended)
        scene.look_at_redis()
        if _is_sqlite(scene.service):
            execute("BEGIN EXCLUSIVE")
            assert scene.call("EnqueueRecording", scene.request(sid)) is grpc.StatusCode.UNAVAILABLE
            assert scene.webhook(sid) == 500
            execute("ROLLBACK")
    assert scene.service.log.count("Traceback") > 1


#: By whether the catalogue is SQLite: statements that break it, and those that mend it.
_BREAKING = {
    True: (
        (
            "CREATE TRIGGER broken BEFORE INSERT ON recordings BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "ALTER TABLE recordings RENAME COLUMN from_number TO gone",
        ),
        ("DROP TRIGGER broken", "ALTER TABLE recordings RENAME COLUMN gone TO from_number"),
    ),
    False: (
        (
            "ALTER TABLE recordings ADD CONSTRAINT broken CHECK (from_number IS NULL) NOT VALID",
            "ALTER TABLE recordings RENAME COLUMN from_number TO gone",
        ),
        (
            "ALTER TABLE recordings DROP CONSTRAINT broken",
            "ALTER TABLE recordings RENAME COLUMN gone TO from_number",
        ),
    ),
}


def _is_sqlite(service: RunningService) -> bool:
    return "RECORDING_DATABASE_URL" not in service.environment


def redis_that_is_gone(scene: Scene) -> None:
    """Refused and then back, with nothing in its memory."""
    scene.redis.kill()
    sid = scene.recording()
    assert scene.call("EnqueueRecording", scene.request(sid)) is grpc.StatusCode.UNAVAILABLE
    assert scene.webhook(sid) == 500
    assert scene.command("doctor") != 0
    scene.get("/readyz")
    scene.redis.start()
    scene.service.ready(sid)
    scene.look_at_processes()
    scene.look_at_redis()


def commands_that_are_configured_wrongly(scene: Scene) -> None:
    """Each says what is wrong with a variable, and not what is in it."""
    redis, database = (quote(SECRETS[name], safe="") for name in ("redis password", "database password"))
    host = f"127.0.0.1:{free_port()}"
    for wrong in (
        {"RECORDING_REDIS_URL": f"http://:{redis}@{host}/0"},
        {"RECORDING_REDIS_URL": f"redis://:{redis}@{host}:port/0"},
        {"RECORDING_REDIS_URL": f"redis://:{redis}@{host}/0"},
        {"RECORDING_REDIS_URL": f"redis://:{redis}-not@127.0.0.1:{scene.redis.port}/0"},
        {"RECORDING_DATABASE_URL": f"mysql://recordings:{database}@{host}/recordings"},
        {"RECORDING_DATABASE_URL": f"recordings:{database}@{host}"},
        {"RECORDING_DATABASE_URL": f"postgresql://recordings:{database}@{host}/recordings"},
        {"RECORDING_PUBLIC_URL": f"https://user:{database}@recordings.example.org"},
        {"TWILIO_API_URL": f"https://user:{database}@api.twilio.com"},
        {"TWILIO_ACCOUNT_SID": SECRETS["auth token"]},
        {"TWILIO_ACCOUNT_SID": ""},
        {"RECORDING_WORKERS": "many"},
    ):
        elsewhere = {"RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}", "RECORDING_HTTP_ADDRESS": host}
        assert scene.command("doctor", **elsewhere, **wrong) != 0
        if "REDIS" not in next(iter(wrong)):
            assert scene.command("grpc", **elsewhere, **wrong) != 0


@contextmanager
def _sql(service: RunningService) -> Iterator[Callable[[str], object]]:
    """Executes statements on the service's catalogue."""
    if _is_sqlite(service):
        with closing(sqlite3.connect(service.data_dir / "catalogue.sqlite3", isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout = 20000")
            yield connection.execute
        return
    with _postgresql(service) as connection:
        yield connection.exec_driver_sql


@contextmanager
def _postgresql(service: RunningService) -> Iterator[Connection]:
    engine = create_engine(service.environment["RECORDING_DATABASE_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _stored(service: RunningService) -> Iterator[tuple[str, bytes]]:
    """All that the catalogue holds, a table at a time."""
    if _is_sqlite(service):
        with closing(sqlite3.connect(service.data_dir / "catalogue.sqlite3")) as connection:
            yield "the catalogue", "\n".join(connection.iterdump()).encode()
        return
    with _postgresql(service) as connection:
        tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").all()
        for (table,) in tables:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()  # noqa: S608 - a table of ours
            yield f"table {table}", repr(rows).encode()


@pytest.mark.parametrize("name", sorted({**SECRETS, **PERSONAL}))
def test_the_search_finds_what_was_planted(name: str, tmp_path: Path) -> None:
    secret = {**SECRETS, **PERSONAL}[name]
    written = (
        f"a line with {secret} in it",
        f"redis://:{quote(secret, safe='')}@host",
        f"?a={quote_plus(secret)}",
        json.dumps({"said": secret}),
        repr({"said": secret}),
        *(f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}" for user in ("u", "us", "use", "user")),
        base64.b64encode(f"u:{secret} and more".encode()).decode(),
    )
    for line in written:
        log = tmp_path / "planted.log"
        log.write_text(f"2026-01-01 INFO\n{line}\nmore\n")
        assert name in {finding.secret for finding in CANARIES.in_files(log)}, line
    assert CANARIES.in_text("2026-01-01 INFO nothing of the kind, canary\n", "a log") == []

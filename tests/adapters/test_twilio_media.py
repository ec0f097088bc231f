"""How a recording is asked for, and what is made of every answer that Twilio, or the network, may give."""

import base64
import itertools
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recording_service.adapters.twilio_media.media import PIECE_BYTES, TwilioMedia
from recording_service.core.errors import (
    SourceError,
    SourceGone,
    SourceNotAudio,
    SourceNotFound,
    SourceRateLimited,
    SourceRefused,
    SourceTimedOut,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
)
from recording_service.core.model import RecordingKey
from recording_service.twilio_stand_in import (
    Answer,
    Gate,
    Outcome,
    Recording,
    TwilioStandIn,
    empty,
    forbidden,
    media,
    not_found,
    server_error,
    too_many_requests,
    unauthorized,
)
from tests.adapters.raw_server import RawServer, answer
from tests.adapters.twilio_fetching import ACCOUNT_SID, KEY, PASSWORD, USERNAME, account, fetched, source

BODY = bytes(range(256)) * 40


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="token", api_key=USERNAME, api_secret=PASSWORD) as stand_in:
        stand_in.add_recording(Recording(recording_sid=KEY.recording_sid, body=BODY))
        yield stand_in


# What is asked


def test_the_mp3_is_asked_for_once_with_the_accounts_credentials(twilio: TwilioStandIn) -> None:
    assert fetched(source(twilio.url)) == BODY

    (request,) = twilio.requests
    assert (request.method, request.path) == (
        "GET",
        f"/2010-04-01/Accounts/{KEY.account_sid}/Recordings/{KEY.recording_sid}.mp3",
    )
    credentials = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    assert request.headers == {
        "host": twilio.url.removeprefix("http://"),
        "accept": "audio/*",
        "accept-encoding": "identity",
        "authorization": f"Basic {credentials}",
        "connection": "close",
        "user-agent": "recording-service",
    }


@pytest.mark.parametrize("changes", [{"username": ""}, {"password": ""}])
def test_an_account_without_credentials_is_unauthorized_without_asking(changes: dict[str, str]) -> None:
    with RawServer(answer()) as server:
        for accounts in ([account(server.url, **changes)], []):
            with pytest.raises(SourceUnauthorized):
                fetched(TwilioMedia(accounts))

    assert server.heads == []


def test_credentials_may_have_any_characters() -> None:
    with RawServer(answer(b"x", "Content-Length: 1")) as server:
        fetched(TwilioMedia([account(server.url, password="pässwörd ✓")]))

    (authorization,) = server.authorizations()
    assert base64.b64decode(authorization.rpartition(" ")[2]).decode() == f"{USERNAME}:pässwörd ✓"


def test_proxies_netrc_and_certificates_of_the_environment_are_ignored(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("default login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing"))

    assert fetched(source(twilio.url)) == BODY
    assert "other" not in base64.b64decode(twilio.requests[0].headers["authorization"].rpartition(" ")[2]).decode()


def test_many_threads_fetch_at_once_and_each_gets_its_own(twilio: TwilioStandIn) -> None:
    bodies = {
        RecordingKey(ACCOUNT_SID, twilio.add_recording(body=bytes([number]) * 100_000).recording_sid): number
        for number in range(16)
    }
    shared = source(twilio.url)

    with ThreadPoolExecutor(8) as pool:
        for key, body in zip(bodies, pool.map(lambda key: fetched(shared, key), bodies), strict=True):
            assert body == bytes([bodies[key]]) * 100_000


# Bodies


@pytest.mark.parametrize("how", [media(), media().chunked(), media().until_close(), media().header("X-Other", "1")])
def test_a_body_is_whole_however_it_is_framed(twilio: TwilioStandIn, how: Answer) -> None:
    twilio.behave(KEY.recording_sid, how)

    assert fetched(source(twilio.url)) == BODY


def test_the_length_is_known_if_it_is_announced(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media(), media().chunked(), media().until_close(), empty())

    lengths = []
    for _ in range(4):
        with source(twilio.url).open(KEY) as recording:
            lengths.append(recording.content_length)
            assert sum(map(len, recording.chunks())) in (len(BODY), recording.content_length)

    assert lengths == [len(BODY), None, None, 0]


def test_an_encoding_that_changes_nothing_is_accepted(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media().header("Content-Encoding", "Identity"))

    assert fetched(source(twilio.url)) == BODY


def test_bytes_are_handed_on_as_they_arrive_and_in_small_pieces(twilio: TwilioStandIn) -> None:
    body = bytes(range(256)) * 4096
    sid = twilio.add_recording(body=body).recording_sid
    gate = Gate()
    twilio.behave(sid, media().hold(gate, after=1000))

    with source(twilio.url).open(RecordingKey(ACCOUNT_SID, sid)) as recording:
        pieces = recording.chunks()
        early = b""
        while len(early) < 1000:
            early += next(pieces)
        gate.release()
        rest = list(pieces)

    assert early == body[:1000]
    assert early + b"".join(rest) == body
    assert max(map(len, rest)) <= PIECE_BYTES


def test_memory_stays_flat_for_a_large_body(twilio: TwilioStandIn) -> None:
    size = 64 << 20
    twilio.behave(KEY.recording_sid, media().endless(size))

    with source(twilio.url).open(KEY) as recording:
        tracemalloc.start()
        received = sum(map(len, recording.chunks()))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert received == size
    assert peak < 4 << 20


def test_a_recording_that_is_left_early_is_not_read_to_its_end(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media().endless(1 << 27))

    with source(twilio.url).open(KEY) as recording:
        next(recording.chunks())

    (request,) = twilio.wait_for_requests(1, finished=True)
    assert request.outcome is Outcome.HUNG_UP
    assert request.bytes_sent < 1 << 27


# Too large


def test_a_length_beyond_the_limit_is_refused_before_the_body(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media().endless())

    with pytest.raises(SourceTooLarge), source(twilio.url).open(KEY):
        pass


@pytest.mark.parametrize("how", [media().chunked(), media().until_close()])
def test_a_body_that_goes_on_beyond_the_limit_is_refused(twilio: TwilioStandIn, how: Answer) -> None:
    twilio.behave(KEY.recording_sid, how.endless())

    with source(twilio.url, max_bytes=1_000_000).open(KEY) as recording:
        pieces = recording.chunks()
        received = 0
        with pytest.raises(SourceTooLarge):  # noqa: PT012 - it comes at some time or other
            for piece in pieces:
                received += len(piece)

    assert received <= 1_000_000


def test_a_body_as_large_as_the_limit_is_taken(twilio: TwilioStandIn) -> None:
    assert fetched(source(twilio.url, max_bytes=len(BODY))) == BODY


# Cut, or not what was promised


@pytest.mark.parametrize(
    "how",
    [
        media().truncate(after=6000),
        media().truncate(after=-1),
        media().truncate(after=0),
        media().reset(after=6000),
        media().chunked().truncate(after=6000),
        media().chunked().truncate(),
        media().chunked().reset(after=6000),
        media().announce_excess(1),
        media().announce_excess(-1),
        media().announce_excess(-6000),
    ],
)
def test_a_body_that_is_not_as_long_as_promised_is_truncated(twilio: TwilioStandIn, how: Answer) -> None:
    twilio.behave(KEY.recording_sid, how)

    with pytest.raises(SourceTruncated):
        fetched(source(twilio.url))


def test_a_part_is_never_taken_for_the_whole(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, Answer(status=206).header("Content-Range", "bytes 0-9/10240"))

    with pytest.raises(SourceTruncated):
        fetched(source(twilio.url))


@pytest.mark.parametrize(
    "framed",
    [
        b"3\r\nabc\r\n0",  # of 0400
        b"3\r\nabc\r\n0\r",
        b"3\r\nabc\r\n",
        b"3\r\nabc",
        b"3\r\nab",
        b"3",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"nonsense\r\nabc\r\n0\r\n\r\n",
        b"",
    ],
)
def test_chunks_that_do_not_end_as_they_must_are_truncated(framed: bytes) -> None:
    with (
        RawServer(answer(framed, "Transfer-Encoding: chunked")) as server,
        pytest.raises(SourceTruncated),
    ):
        fetched(source(server.url))


def test_chunks_without_the_last_empty_line_are_whole() -> None:
    with RawServer(answer(b"3\r\nabc\r\n0\r\n", "Transfer-Encoding: chunked")) as server:
        assert fetched(source(server.url)) == b"abc"


def test_what_follows_a_body_is_never_taken_for_another_answer() -> None:
    """A connection that is kept open gives no sign of what else will come; so it is not used again."""
    forged = answer(b"forged", "Content-Length: 6")

    def keep_open(connection: socket.socket) -> None:
        connection.sendall(answer(b"first", "Content-Length: 5"))
        connection.recv(1)
        connection.sendall(forged)

    with RawServer(keep_open, answer(b"second", "Content-Length: 6")) as server:
        shared = source(server.url)
        assert [fetched(shared), fetched(shared)] == [b"first", b"second"]


def test_a_connection_that_stays_open_after_the_last_byte_costs_no_idle_time() -> None:
    with ExitStack() as stack:

        def keep_open(connection: socket.socket) -> None:
            connection.sendall(answer(b"whole", "Content-Length: 5", "Connection: close"))
            server.wait_stopped()

        server = stack.enter_context(RawServer(keep_open))
        assert fetched(source(server.url, idle_seconds=60.0, settle_seconds=0.05)) == b"whole"


# Not what was asked for


@pytest.mark.parametrize("how", [media().gzip(), media().header("Content-Encoding", "br")])
def test_an_encoded_body_is_not_decoded_but_refused(twilio: TwilioStandIn, how: Answer) -> None:
    twilio.behave(KEY.recording_sid, how)

    with pytest.raises(SourceNotAudio):
        fetched(source(twilio.url))


@pytest.mark.parametrize(
    "headers",
    [
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"],
        ["Transfer-Encoding: identity"],
        ["Content-Length: -3"],
        ["Content-Length: +3"],
        ["Content-Length: 3, 3"],
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: 3_0"],
        ["Content-Length: "],
        ["Content-Length: 9" + "9" * 5000],
        ["no header at all"],
        [": empty name"],
        [f"X-{number}: x" for number in range(200)],
        ["X-Long: " + "x" * 70_000],
    ],
)
def test_an_answer_with_headers_that_make_no_sense_is_unavailable(
    headers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(answer(b"abc", *headers)) as server, pytest.raises(SourceUnavailable):
        fetched(source(server.url))

    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


@pytest.mark.parametrize(
    "bytes_sent", [b"", b"HTTP", b"\x00\xff\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/2 200\r\n\r\n"]
)
def test_what_is_no_answer_is_unavailable(bytes_sent: bytes) -> None:
    with RawServer(bytes_sent) as server, pytest.raises(SourceUnavailable):
        fetched(source(server.url))


# Refusals


@pytest.mark.parametrize(
    ("how", "error"),
    [
        (unauthorized(), SourceUnauthorized),
        (forbidden(), SourceUnauthorized),
        (not_found(), SourceNotFound),
        (Answer(status=410), SourceGone),
        (Answer(status=400), SourceRefused),
        (Answer(status=405), SourceRefused),
        (Answer(status=418), SourceRefused),
        (Answer(status=408), SourceUnavailable),
        (Answer(status=425), SourceUnavailable),
        (server_error(), SourceUnavailable),
        (server_error(503), SourceUnavailable),
        (Answer(status=599), SourceUnavailable),
        (Answer(status=202), SourceUnavailable),
        (Answer(status=204, body=b""), SourceUnavailable),
        (Answer(status=300), SourceUnavailable),
        (Answer(status=304, body=b""), SourceUnavailable),
        (Answer(status=999), SourceUnavailable),
    ],
)
def test_every_other_status_is_an_error_of_its_kind(
    twilio: TwilioStandIn, how: Answer, error: type[SourceError]
) -> None:
    twilio.behave(KEY.recording_sid, how)

    with pytest.raises(SourceError) as raised, source(twilio.url).open(KEY):
        pass

    assert type(raised.value) is error
    assert str(how.status) in raised.value.message


@pytest.mark.parametrize(("status", "error"), [(429, SourceRateLimited), (503, SourceUnavailable)])
@pytest.mark.parametrize(
    ("header", "least", "most"), [("7", 7, 7), ("soon", None, None), ("date", 80, 90), (None, None, None)]
)
def test_how_long_twilio_asks_to_wait_is_passed_on(
    twilio: TwilioStandIn,
    status: int,
    error: type[SourceRateLimited] | type[SourceUnavailable],
    header: str | None,
    least: float | None,
    most: float | None,
) -> None:
    wanted = datetime.now(UTC) + timedelta(seconds=90) if header == "date" else header
    how = too_many_requests(wanted) if status == 429 else server_error(status, wanted)
    twilio.behave(KEY.recording_sid, how)

    with pytest.raises(error) as raised:
        fetched(source(twilio.url))

    assert isinstance(raised.value, SourceRateLimited | SourceUnavailable)
    if least is None or most is None:
        assert raised.value.retry_after_seconds is None
    else:
        assert raised.value.retry_after_seconds is not None
        assert least <= raised.value.retry_after_seconds <= most


def test_an_unknown_recording_is_not_found_and_a_wrong_secret_unauthorized(twilio: TwilioStandIn) -> None:
    with pytest.raises(SourceNotFound):
        fetched(source(twilio.url), KEY._replace(recording_sid="RE" + "ee" * 16))
    with pytest.raises(SourceUnauthorized):
        fetched(TwilioMedia([account(twilio.url, password="wrong")]))


# Time


@pytest.mark.parametrize("how", [media().stall(), media().hold(Gate()), media().hold(Gate(), after=6000)])
def test_silence_is_not_waited_out(twilio: TwilioStandIn, how: Answer) -> None:
    twilio.behave(KEY.recording_sid, how)

    with pytest.raises(SourceTimedOut, match=r"sent nothing for 0\.2 s"):
        fetched(source(twilio.url, idle_seconds=0.2))


def test_a_drip_is_not_waited_out(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media().drip(1000))

    with pytest.raises(SourceTimedOut, match="less than 50000 bytes a second"):
        fetched(source(twilio.url, min_bytes_per_second=50_000.0, rate_window_seconds=0.2))


def test_a_body_that_takes_too_long_in_all_is_given_up(twilio: TwilioStandIn) -> None:
    twilio.behave(KEY.recording_sid, media().drip(5000))

    with pytest.raises(SourceTimedOut, match=r"not done in 0\.4 s"):
        fetched(source(twilio.url, total_seconds=0.4))


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["status line", "header", "length of a chunk"],
)
def test_a_line_that_never_ends_is_given_up(beginning: bytes) -> None:
    """Each byte starts the socket's own timeout anew; only the limit on all of it ends this."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for byte in itertools.cycle([b"1"]):
            connection.sendall(byte)
            if stopped.wait(0.02):
                return

    stopped = threading.Event()
    with RawServer(drip) as server:
        try:
            with pytest.raises(SourceTimedOut, match=r"not done in 0\.4 s"):
                fetched(source(server.url, total_seconds=0.4))
        finally:
            stopped.set()


def test_a_host_that_does_not_take_connections_is_not_waited_for() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # The queue of the kernel is full then, and it drops what else comes.
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())

        with pytest.raises(SourceTimedOut):
            fetched(source(f"http://127.0.0.1:{listening.getsockname()[1]}", connect_seconds=0.3))


def test_a_host_that_refuses_connections_is_unavailable(twilio: TwilioStandIn) -> None:
    twilio.down()

    with pytest.raises(SourceUnavailable):
        fetched(source(twilio.url))


# What errors say


def test_messages_name_no_address_and_no_secret(twilio: TwilioStandIn) -> None:
    messages = []
    for how in (unauthorized(), not_found(), server_error(), media().truncate(5), media().gzip(), media().endless()):
        twilio.behave(KEY.recording_sid, how)
        with pytest.raises(SourceError) as raised:
            fetched(source(twilio.url))
        messages.append(str(raised.value))
    twilio.down()
    with pytest.raises(SourceError) as raised:
        fetched(source(twilio.url))

    for message in (*messages, str(raised.value)):
        assert message.isascii()
        assert not any(secret in message for secret in ("127.0.0.1", "http", PASSWORD, USERNAME, ACCOUNT_SID, "Error"))

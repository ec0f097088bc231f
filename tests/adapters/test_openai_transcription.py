"""How a clip is sent to be transcribed, and what is made of every way in which that may go wrong."""

import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.core.errors import (
    TranscriptionAnswerInvalid,
    TranscriptionError,
    TranscriptionKeyRejected,
    TranscriptionRateLimited,
    TranscriptionRefused,
    TranscriptionUnavailable,
    TranscriptionWrongLanguage,
)
from recording_service.transcription_stand_in import (
    Answer,
    TranscriptionStandIn,
    html_page,
    key_rejected,
    malformed_json,
    model_not_found,
    redirect,
    refused,
    server_error,
    shaped,
    too_large,
    too_many_requests,
)
from recording_service.transcription_stand_in import transcribed as in_order
from tests.adapters.raw_server import RawServer, Script, answer
from tests.adapters.transcribing import API_KEY, CLIP, transcribed, transcriber
from tests.support.tones import wav_of

#: Found in what the server says, and so in nothing that we say.
SECRET_ANSWER = "what-the-caller-confided"


@pytest.fixture
def server() -> Iterator[TranscriptionStandIn]:
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in


# What is asked for


def test_the_clip_is_sent_as_the_api_wants_it(server: TranscriptionStandIn) -> None:
    transcribed(server.url, language="en")

    (request,) = server.requests
    assert request.complaint == ""
    assert request.path == "/v1/audio/transcriptions"
    assert request.fields == {
        "model": ["whisper-1"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment", "word"],
        "language": ["en"],
    }
    assert (request.file_name, request.wav) == ("channel-1-at-0-ms.wav", CLIP)
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert "cookie" not in request.headers


def test_without_a_language_the_server_finds_out_and_without_a_key_none_is_sent() -> None:
    with TranscriptionStandIn(language="de") as server:
        heard = transcribed(server.url, api_key="")

    (request,) = server.requests
    assert heard.language == "de"
    assert "language" not in request.fields
    assert "authorization" not in request.headers


def test_a_server_that_has_no_times_of_words_need_not_be_asked_for_them(server: TranscriptionStandIn) -> None:
    heard = transcribed(server.url, word_times=False)

    assert server.requests[0].fields["timestamp_granularities[]"] == ["segment"]
    assert heard.segments[0].words == ()


def test_a_temperature_is_asked_for_only_if_one_is_configured(server: TranscriptionStandIn) -> None:
    transcribed(server.url, temperature=0.0)
    transcribed(server.url, temperature=0.25)
    transcribed(server.url)

    assert [request.fields.get("temperature") for request in server.requests] == [["0"], ["0.25"], None]


def test_the_path_may_be_another(server: TranscriptionStandIn) -> None:
    with TranscriptionStandIn(api_key=API_KEY, path="/inference") as whisper_cpp:
        assert transcribed(whisper_cpp.url + "/", path="/inference").segments
    with pytest.raises(TranscriptionRefused, match="check the model and the URL"):
        transcribed(server.url, path="/inference")


@pytest.mark.parametrize(
    "name", ["", "clip.mp3", ".wav", "a/b.wav", 'a".wav', "a\r\n.wav", "é.wav", "a" * 200 + ".wav"]
)
def test_a_file_name_that_servers_may_misread_is_refused(name: str, server: TranscriptionStandIn) -> None:
    with pytest.raises(ValueError, match="file name"):
        transcriber(server.url).transcribe(CLIP, name)

    assert server.requests == []


def test_neither_a_proxy_nor_a_netrc_of_the_environment_has_a_say(
    server: TranscriptionStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")

    assert transcribed(server.url).segments


def test_one_transcriber_transcribes_one_clip_after_another(server: TranscriptionStandIn) -> None:
    server.say("One.", "Two.")
    several = transcriber(server.url)

    heard = [several.transcribe(CLIP, "a.wav").segments[0].text for _ in range(2)]

    assert heard == ["One.", "Two."]


# Answers that are none


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (too_many_requests(7), 7.0),
        (too_many_requests(None), None),
        (too_many_requests("soon"), None),
        (too_many_requests("-1"), None),
        (server_error(503, retry_after=20), 20.0),
    ],
)
def test_who_asks_for_fewer_requests_is_told_apart_and_says_for_how_long(
    server: TranscriptionStandIn, given: Answer, seconds: float | None
) -> None:
    server.behave(given)

    with pytest.raises(TranscriptionRateLimited) as caught:
        transcribed(server.url)

    assert caught.value.retry_after_seconds == seconds


def test_a_date_in_retry_after_is_meant_by_the_clock_of_the_server(server: TranscriptionStandIn) -> None:
    server_time = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    server.behave(
        too_many_requests(format_datetime(server_time + timedelta(seconds=90), usegmt=True)).header(
            "Date", format_datetime(server_time, usegmt=True)
        )
    )

    with pytest.raises(TranscriptionRateLimited) as caught:
        transcribed(server.url)

    assert caught.value.retry_after_seconds == 90.0


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 421, 425])
def test_a_server_that_fails_is_unavailable(server: TranscriptionStandIn, status: int) -> None:
    server.behave(server_error(status))

    with pytest.raises(TranscriptionUnavailable, match=r"failed \(\d+\)"):
        transcribed(server.url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_is_about_the_key(server: TranscriptionStandIn, status: int) -> None:
    server.behave(key_rejected(status))

    with pytest.raises(TranscriptionKeyRejected, match="check the key") as caught:
        transcribed(server.url)

    assert caught.value.status == status


def test_a_wrong_key_is_rejected(server: TranscriptionStandIn) -> None:
    with pytest.raises(TranscriptionKeyRejected):
        transcribed(server.url, api_key="sk-another")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (model_not_found(), 404),
        (too_large(), 413),
        (refused("no", status=400), 400),
        (refused("no", status=415), 415),
        (refused("no", status=422), 422),
        (html_page(405), 405),
    ],
)
def test_what_the_server_does_not_take_is_refused(server: TranscriptionStandIn, given: Answer, status: int) -> None:
    server.behave(given)

    with pytest.raises(TranscriptionRefused, match=str(status)) as caught:
        transcribed(server.url)

    assert caught.value.status == status


def test_a_model_that_the_server_has_not_is_refused(server: TranscriptionStandIn) -> None:
    with pytest.raises(TranscriptionRefused, match="check the model"):
        transcribed(server.url, model="whisper-2")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_nothing_is_sent_there(server: TranscriptionStandIn, status: int) -> None:
    with TranscriptionStandIn(api_key=API_KEY) as elsewhere:
        server.behave(redirect(f"{elsewhere.url}/audio/transcriptions", status))
        with pytest.raises(TranscriptionRefused, match="redirected") as caught:
            transcribed(server.url)

        assert elsewhere.requests == []
    assert caught.value.status == status


@pytest.mark.parametrize(
    "given",
    [
        malformed_json(),
        html_page(),
        Answer(status=204, body=b""),
        Answer(status=206),
        Answer(body=b"\xff\xfe\x00"),
        Answer(body=b"[" * 200_000),
        in_order().header("Content-Encoding", "gzip"),
    ],
)
def test_what_is_no_json_is_invalid(server: TranscriptionStandIn, given: Answer) -> None:
    server.behave(given)

    with pytest.raises(TranscriptionAnswerInvalid):
        transcribed(server.url)


def test_an_answer_beyond_the_limit_is_invalid(server: TranscriptionStandIn) -> None:
    server.behave(shaped({"text": "", "segments": [], "padding": "x" * 300_000}))

    with pytest.raises(TranscriptionAnswerInvalid, match="more than 200000 bytes"):
        transcribed(server.url, max_answer_bytes=200_000)


def test_another_language_than_the_one_that_is_configured_is_an_error(server: TranscriptionStandIn) -> None:
    server.behave(in_order().in_language("german"))

    with pytest.raises(TranscriptionWrongLanguage) as caught:
        transcribed(server.url, language="en")

    assert (caught.value.wanted, caught.value.got) == ("en", "de")


@pytest.mark.parametrize("name", ["en", "english", "English", "EN", "en-US", "en_gb", " english "])
def test_a_language_is_the_same_by_its_code_and_by_its_name(server: TranscriptionStandIn, name: str) -> None:
    server.behave(in_order().in_language(name), times=2)

    assert transcribed(server.url, language="en").language == "en"
    assert transcribed(server.url).language == "en"


def test_a_language_that_nobody_knows_is_none_and_not_the_configured_one(server: TranscriptionStandIn) -> None:
    server.behave(in_order().in_language("klingon"), times=2)

    assert transcribed(server.url).language == ""
    with pytest.raises(TranscriptionWrongLanguage, match="an unknown language"):
        transcribed(server.url, language="en")


# No answer, or not all of it, or not in time


def whole_request_then(raw: bytes) -> Script:
    """Answers once the form has come; a connection that is closed before would be reset."""

    def script(connection: socket.socket) -> None:
        received = b""
        while not received.endswith(b"--\r\n"):
            received += connection.recv(65536)
        connection.sendall(raw)

    return script


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(TranscriptionUnavailable, match="no whole answer"):
        transcribed(f"http://127.0.0.1:{port}/v1")


def test_a_body_that_is_cut_off_is_unavailable(server: TranscriptionStandIn) -> None:
    server.behave(in_order().cut(after=100), in_order().cut(after=0))

    for _ in range(2):
        with pytest.raises(TranscriptionUnavailable, match="no whole answer"):
            transcribed(server.url)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_what_is_no_answer_is_unavailable(raw: bytes) -> None:
    with RawServer(raw) as server, pytest.raises(TranscriptionUnavailable):
        transcribed(server.url + "/v1")


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        "HTTP/1.1 200 OK\r\nthis is no header\r\n\r\n",
        "HTTP/1.1 200 OK\r\n leading: space\r\n\r\n",
    ],
    ids=["no empty line", "no colon", "leading space"],
)
def test_an_answer_with_malformed_headers_is_unavailable_and_nothing_of_it_is_logged(
    head: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = (
        f'{{\n"text": "{SECRET_ANSWER}",\n"segments": [{{"start": 0, "end": 1, "text": "{SECRET_ANSWER}"}}]}}\r\n\r\n'
    )
    given = whole_request_then((head + body).encode())

    with RawServer(given) as server, pytest.raises(TranscriptionUnavailable, match="no whole answer") as caught:
        transcribed(server.url + "/v1")

    assert SECRET_ANSWER not in everything_of(caught.value)
    assert SECRET_ANSWER not in caplog.text


def test_a_server_that_says_nothing_is_given_up_in_time(server: TranscriptionStandIn) -> None:
    server.behave(in_order().stall())

    with pytest.raises(TranscriptionUnavailable, match=r"was silent for 0\.3 s"):
        transcribed(server.url, idle_seconds=0.3)


@pytest.mark.parametrize("head", [True, False])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up_in_time(server: TranscriptionStandIn, head: bool) -> None:
    server.behave(in_order().trickle(20, head=head))

    with pytest.raises(TranscriptionUnavailable, match=r"was not done in 0\.5 s"):
        transcribed(server.url, idle_seconds=0.4, total_seconds=0.5)


def test_a_server_that_takes_nothing_is_given_up_in_time() -> None:
    given_up = threading.Event()

    def ignore(connection: socket.socket) -> None:
        given_up.wait(10)

    with RawServer(ignore) as deaf:
        with pytest.raises(TranscriptionUnavailable, match=r"was silent for 0\.3 s"):
            transcribed(deaf.url + "/v1", clip=bytes(16 << 20), idle_seconds=0.3)
        given_up.set()


def test_a_server_that_takes_a_little_now_and_then_is_given_up_in_time() -> None:
    def sip(connection: socket.socket) -> None:
        # A small window, so that what was sent is not all in the kernel's hands.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pause = threading.Event()
        while connection.recv(65536):
            pause.wait(0.05)

    with (
        RawServer(sip) as sipping,
        pytest.raises(TranscriptionUnavailable, match=r"was not done in 0\.8 s"),
    ):
        transcribed(sipping.url + "/v1", clip=bytes(16 << 20), total_seconds=0.8)


def test_a_slow_server_is_waited_for(server: TranscriptionStandIn) -> None:
    server.behave(in_order().delay(0.3).trickle(20_000))

    assert transcribed(server.url).segments


# TLS


def test_a_server_with_a_certificate_that_is_trusted_is_spoken_to_by_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    body = b'{"text": "Hello.", "language": "en", "segments": [{"start": 0, "end": 1, "text": "Hello."}]}'
    given = answer(body, "Content-Type: application/json", f"Content-Length: {len(body)}")

    with RawServer(whole_request_then(given), tls=context) as server:
        heard = transcribed(server.url + "/v1", certificates=tmp_path / "ca.pem")
        with pytest.raises(TranscriptionUnavailable):
            transcribed(server.url + "/v1")

    assert heard.segments[0].text == "Hello."
    assert len(server.authorizations()) == 1


# Nothing secret


def failures(server: TranscriptionStandIn) -> Iterator[TranscriptionError]:
    """An error of every kind, from servers that say what nobody else may read."""
    told = SECRET_ANSWER.encode()
    said = [{"start": 0, "end": 1, "text": SECRET_ANSWER}]
    answers: list[tuple[Answer, dict[str, Any]]] = [
        *((Answer(status=status, body=told), {}) for status in (204, 401, 403, 404, 429, 500, 503)),
        (redirect(f"http://127.0.0.1/{SECRET_ANSWER}"), {}),
        (Answer(body=told), {}),
        (Answer(body=told + b"\xff"), {}),
        (html_page(), {}),
        (shaped({"text": SECRET_ANSWER}), {}),
        (shaped({"text": "", "segments": [{SECRET_ANSWER: SECRET_ANSWER}]}), {}),
        (shaped({"segments": said, "language": SECRET_ANSWER}), {"language": "en"}),
        (shaped({"segments": said}).cut(after=60), {}),
        (shaped({"segments": said}), {"max_answer_bytes": 10}),
        (shaped({"segments": said}).stall(), {"idle_seconds": 0.2}),
        (shaped({"segments": said}).header("Content-Encoding", SECRET_ANSWER), {}),
        (Answer(body=told).header("Content-Length", "none"), {}),
    ]
    for given, changes in answers:
        server.behave_well()
        server.behave(given)
        with pytest.raises(TranscriptionError) as caught:
            transcribed(server.url, **changes)
        yield caught.value
    server.stop()
    with pytest.raises(TranscriptionError) as caught:
        transcribed(server.url)
    yield caught.value


def everything_of(error: BaseException | None) -> str:
    """All that could be printed of an error and of all that led to it, what is usually not printed too."""
    seen: list[str] = []
    left = [error]
    while left:
        current = left.pop()
        if current is not None:
            seen += [repr(current), str(current), repr(vars(current)), *traceback.format_exception(current)]
            left += [current.__cause__, current.__context__]
    return "\n".join(seen)


def test_neither_key_nor_clip_nor_answer_are_in_an_error_or_in_the_log(
    server: TranscriptionStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transcribed(server.url)

    for error in failures(server):
        text = everything_of(error)
        for secret in (API_KEY, SECRET_ANSWER, "RIFF", "WAVEfmt", "PreparedRequest", "127.0.0.1:"):
            assert secret not in text

    logged = caplog.text
    for secret in (API_KEY, SECRET_ANSWER, "RIFF", "WAVEfmt"):
        assert secret not in logged


def test_the_key_is_in_no_repr() -> None:
    settings = OpenAiTranscriptionSettings(url="https://api.openai.com/v1", model="whisper-1", api_key=API_KEY)

    assert API_KEY not in repr(settings)
    assert API_KEY not in repr(transcriber("https://api.openai.com/v1"))


def test_silence_is_no_segment(server: TranscriptionStandIn) -> None:
    assert transcribed(server.url, wav_of((0, 2))).segments == ()

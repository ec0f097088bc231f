"""What is taken, and everything that is not."""

from typing import Any

import pytest
import requests

from recording_service.transcription_stand_in import TranscriptionStandIn
from tests.support.tones import wav_of
from tests.transcription_stand_in.posting import API_KEY, CLIP, FIELDS, WORDS, post, post_body

BOUNDARY = "b" * 32
GOOD_BODY = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="response_format"\r\n\r\nverbose_json\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    "Content-Type: audio/wav\r\n\r\n"
).encode() + CLIP
GOOD_END = f"\r\n--{BOUNDARY}--\r\n".encode()
GOOD_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def test_a_good_request_is_answered_and_noted(server: TranscriptionStandIn) -> None:
    answer = post(server.url, [*FIELDS, *WORDS, ("language", "en"), ("temperature", "0"), ("prompt", "Hello")])

    assert answer.status_code == 200
    (request,) = server.requests
    assert (request.status, request.complaint, request.path) == (200, "", "/v1/audio/transcriptions")
    assert (request.file_name, request.wav) == ("a.wav", CLIP)
    assert request.fields["timestamp_granularities[]"] == ["segment", "word"]


def test_a_form_is_read_to_the_letter(server: TranscriptionStandIn) -> None:
    assert post_body(server.url, GOOD_BODY + GOOD_END, GOOD_TYPE).status_code == 200
    assert post_body(server.url, GOOD_BODY + GOOD_END, f'multipart/form-data; boundary="{BOUNDARY}"').status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GOOD_BODY + GOOD_END, "application/octet-stream"),
        (GOOD_BODY + GOOD_END, "multipart/form-data"),
        (GOOD_BODY + GOOD_END, "multipart/form-data; boundary=another"),
        (GOOD_BODY + GOOD_END, f"multipart/mixed; boundary={BOUNDARY}"),
        (GOOD_BODY, GOOD_TYPE),
        (GOOD_BODY + f"\r\n--{BOUNDARY}\r\n".encode(), GOOD_TYPE),
        (GOOD_BODY + GOOD_END + b"more", GOOD_TYPE),
        (b"preamble\r\n" + GOOD_BODY + GOOD_END, GOOD_TYPE),
        (GOOD_BODY.replace(b"\r\n", b"\n") + GOOD_END, GOOD_TYPE),
        (GOOD_BODY.replace(b"form-data; ", b"attachment; ") + GOOD_END, GOOD_TYPE),
        (GOOD_BODY.replace(b'name="model"\r\n', b'name="model"\r\nX-Other: 1\r\n') + GOOD_END, GOOD_TYPE),
        (GOOD_BODY.replace(b'name="model"\r\n', b'name="model"\r\nnonsense\r\n') + GOOD_END, GOOD_TYPE),
        (b"", GOOD_TYPE),
    ],
)
def test_a_form_that_is_almost_one_is_refused(server: TranscriptionStandIn, body: bytes, content_type: str) -> None:
    answer = post_body(server.url, body, content_type)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "form" in server.requests[0].complaint


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ([FIELDS[0]], "response_format"),
        ([FIELDS[1]], "model"),
        ([FIELDS[0], ("response_format", "json")], "response_format"),
        ([*FIELDS, ("temperature", "2")], "temperature"),
        ([*FIELDS, ("temperature", "warm")], "temperature"),
        ([*FIELDS, ("language", "english")], "language"),
        ([*FIELDS, ("language", "en"), ("language", "de")], "language"),
        ([*FIELDS, FIELDS[0]], "model"),
        ([*FIELDS, *WORDS, WORDS[0]], "timestamp_granularities[]"),
        ([*FIELDS, ("timestamp_granularities[]", "letter")], "timestamp_granularities[]"),
        ([*FIELDS, ("timestamp_granularities", "word")], "timestamp_granularities"),
        ([*FIELDS, ("file", "text")], "file"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    server: TranscriptionStandIn, fields: list[tuple[str, str]], param: str
) -> None:
    answer = post(server.url, fields)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize(
    "files",
    [
        [("sound", ("a.wav", CLIP, "audio/wav"))],
        [("file", ("a.wav", CLIP, "audio/wav"))] * 2,
        [("file", ("a.mp3", CLIP, "audio/wav"))],
        [("file", ("a.wav", CLIP, "audio/x-wav"))],
        [("file", ("a.wav", CLIP))],
        [("file", ("a.wav", CLIP, "audio/wav")), ("model", ("a.wav", b"whisper-1", "audio/wav"))],
    ],
)
def test_there_is_one_file_and_it_is_called_what_it_is(server: TranscriptionStandIn, files: Any) -> None:
    assert post(server.url, files=files).status_code == 400


@pytest.mark.parametrize(
    "wav",
    [
        b"",
        b"not audio",
        CLIP[:-2],
        CLIP + b"\0\0",
        b"RIFX" + CLIP[4:],
        wav_of(),
        wav_of((440, 0.1), channels=2),
        b"RIFF\x04\0\0\0WAVE",
    ],
)
def test_a_file_that_is_no_wav_of_one_channel_is_refused(server: TranscriptionStandIn, wav: bytes) -> None:
    answer = post(server.url, wav=wav)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


@pytest.mark.parametrize("key", ["", "sk-another", API_KEY + "x"])
def test_a_wrong_key_is_rejected(server: TranscriptionStandIn, key: str) -> None:
    assert post(server.url, key=key).status_code == 401


def test_a_key_that_nobody_asked_for_is_rejected_too() -> None:
    with TranscriptionStandIn() as open_server:
        assert post(open_server.url, key="").status_code == 200
        assert post(open_server.url).status_code == 401


def test_an_unknown_model_is_not_found(server: TranscriptionStandIn) -> None:
    answer = post(server.url, [("model", "whisper-2"), FIELDS[1]])

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_other_paths_and_methods_are_not_served(server: TranscriptionStandIn) -> None:
    assert post(server.url, path="/audio/translations").status_code == 404
    assert requests.get(server.url + "/audio/transcriptions", timeout=10).status_code == 405


def test_what_is_too_large_is_refused_before_it_is_read(server: TranscriptionStandIn) -> None:
    headers = {"Content-Length": str(26 * 1024 * 1024), "Authorization": f"Bearer {API_KEY}"}

    answer = requests.post(server.url + "/audio/transcriptions", headers=headers, data=iter([b""]), timeout=10)

    assert answer.status_code == 413

import gzip
from datetime import UTC, datetime

import pytest
import requests

from recording_service.twilio_stand_in import (
    FOREVER,
    Answer,
    Outcome,
    Recording,
    TwilioStandIn,
    empty,
    error_document,
    forbidden,
    html_document,
    json_document,
    media,
    not_found,
    redirect,
    server_error,
    too_many_requests,
    unauthorized,
    wrong_magic,
    xml_document,
)
from tests.twilio_stand_in import raw_http
from tests.twilio_stand_in.conftest import ACCOUNT_SID, AUTH_TOKEN, GetMedia

GOOD = (ACCOUNT_SID, AUTH_TOKEN)


def test_an_answer_given_n_times_is_followed_by_the_recording(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia
) -> None:
    twilio.behave(recording.recording_sid, not_found(), times=3)

    assert [get_media().status for _ in range(5)] == [404, 404, 404, 200, 200]


def test_a_script_of_answers_is_followed_in_order_and_can_be_added_to(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia
) -> None:
    twilio.behave(recording.recording_sid, server_error(503), too_many_requests(), times=2)
    twilio.behave(recording.recording_sid, unauthorized())

    assert [get_media().status for _ in range(6)] == [503, 429, 503, 429, 401, 200]


def test_a_script_without_end_goes_on_until_it_is_forgotten(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia
) -> None:
    twilio.behave(recording.recording_sid, not_found(), server_error(), times=FOREVER)

    assert [get_media().status for _ in range(4)] == [404, 500, 500, 500]

    twilio.behave_well(recording.recording_sid)
    assert get_media().status == 200


def test_one_recordings_misbehaviour_is_not_anothers(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    other = twilio.add_recording(duration=1)
    twilio.behave(recording.recording_sid, not_found(), times=FOREVER)

    assert raw_http.get(twilio.media_url(other.recording_sid, ".mp3"), credentials).status == 200


def test_bad_credentials_and_metadata_use_up_no_answer(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, credentials: dict[str, str]
) -> None:
    twilio.behave(recording.recording_sid, server_error(502))

    assert raw_http.get(twilio.media_url(recording.recording_sid, ".mp3"), {}).status == 401
    assert raw_http.get(twilio.media_url(recording.recording_sid, ".json"), credentials).status == 200
    assert get_media().status == 502


def test_a_script_for_an_unknown_recording_is_refused(twilio: TwilioStandIn) -> None:
    with pytest.raises(KeyError):
        twilio.behave("RE" + "9" * 32, not_found())


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (not_found(), 404, "20404"),
        (unauthorized(), 401, "20003"),
        (forbidden(), 403, "20403"),
        (too_many_requests(), 429, "20429"),
        (server_error(500), 500, "20500"),
        (server_error(504), 504, "20504"),
        (server_error(599), 599, "20599"),
    ],
)
def test_errors_carry_twilios_document(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, answer: Answer, status: int, code: str
) -> None:
    twilio.behave(recording.recording_sid, answer)

    got = get_media()

    assert (got.status, got.headers["content-type"]) == (status, "application/xml")
    assert raw_http.parsed(got.body).findtext("RestException/Code") == code


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (7, "7"),
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "Wed, 02 Jan 2030 03:04:05 GMT"),
        (10**12, "1000000000000"),
        ("soon", "soon"),
        (-1, "-1"),
        (None, None),
    ],
)
def test_retry_after_can_be_seconds_a_date_absurd_or_absent(
    twilio: TwilioStandIn,
    recording: Recording,
    get_media: GetMedia,
    retry_after: int | str | datetime | None,
    header: str | None,
) -> None:
    twilio.behave(recording.recording_sid, too_many_requests(retry_after), server_error(503, retry_after))

    assert [get_media().headers.get("retry-after") for _ in range(2)] == [header, header]


@pytest.mark.parametrize(("after", "sent"), [(0, 0), (1, 1), (1000, 1000), (-1, 8045), (10**9, 8046)])
def test_a_truncated_body_ends_in_good_order_though_more_was_promised(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, after: int, sent: int
) -> None:
    whole = twilio.media(recording.recording_sid)
    assert len(whole) == 8046
    twilio.behave(recording.recording_sid, media().truncate(after))

    got = get_media()

    assert (got.status, got.was_reset) == (200, False)
    assert int(got.headers["content-length"]) == len(whole)
    assert got.body == whole[:sent]
    request = twilio.wait_for_requests(finished=True)[0]
    assert (request.status, request.bytes_sent, request.outcome) == (200, sent, Outcome.CUT)


def test_a_reset_tears_the_connection_in_mid_body(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia
) -> None:
    twilio.behave(recording.recording_sid, media().reset(3000))

    got = get_media()

    assert got.was_reset
    assert twilio.media(recording.recording_sid)[:3000].startswith(got.body)


def test_chunks_can_be_whole(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, media().chunked())

    got = get_media()

    assert "content-length" not in got.headers
    assert raw_http.dechunked(got.body) == (twilio.media(recording.recording_sid), True)


@pytest.mark.parametrize("after", [None, 1000])
def test_chunks_can_lack_the_last_one(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, after: int | None
) -> None:
    twilio.behave(recording.recording_sid, media().chunked().truncate(after))

    got = get_media()

    assert raw_http.dechunked(got.body) == (twilio.media(recording.recording_sid)[:after], False)
    assert not got.was_reset


@pytest.mark.parametrize("excess", [1, -1, 5000])
def test_content_length_can_be_too_big_or_too_small(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, excess: int
) -> None:
    twilio.behave(recording.recording_sid, media().announce_excess(excess))

    got = get_media()

    assert int(got.headers["content-length"]) == len(got.body) + excess
    assert got.body == twilio.media(recording.recording_sid)


@pytest.mark.parametrize("after", [None, 1000])
def test_the_length_can_be_left_untold(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, after: int | None
) -> None:
    twilio.behave(recording.recording_sid, media().until_close().truncate(after))

    got = get_media()

    assert not {"content-length", "transfer-encoding"} & set(got.headers)
    assert got.body == twilio.media(recording.recording_sid)[:after]


@pytest.mark.parametrize(
    ("answer", "content_type", "begins"),
    [
        (json_document(), "application/json", b"{"),
        (json_document("audio/mpeg"), "audio/mpeg", b"{"),
        (xml_document(), "application/xml", b"<?xml"),
        (xml_document("audio/mpeg"), "audio/mpeg", b"<?xml"),
        (error_document("audio/mpeg"), "audio/mpeg", b"<?xml"),
        (html_document(), "text/html", b"<!DOCTYPE"),
        (html_document("audio/mpeg"), "audio/mpeg", b"<!DOCTYPE"),
        (wrong_magic(), "audio/mpeg", b"\0not audio"),
    ],
)
def test_documents_and_rubbish_come_with_200(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia, answer: Answer, content_type: str, begins: bytes
) -> None:
    twilio.behave(recording.recording_sid, answer)

    got = get_media()

    assert (got.status, got.headers["content-type"]) == (200, content_type)
    assert got.body.startswith(begins)
    assert len(got.body) == int(got.headers["content-length"])


def test_an_empty_body_comes_with_200(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, empty())

    got = get_media()

    assert (got.status, got.headers["content-type"], got.headers["content-length"], got.body) == (
        200,
        "audio/mpeg",
        "0",
        b"",
    )


def test_a_dripping_body_takes_its_time(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, media().drip(20_000))

    got = get_media()

    assert got.body == twilio.media(recording.recording_sid)
    assert got.seconds > 0.3


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_leads_where_it_says(twilio: TwilioStandIn, recording: Recording, status: int) -> None:
    twilio.behave(recording.recording_sid, redirect(twilio.cdn_url(recording.recording_sid), status))
    url = twilio.media_url(recording.recording_sid, ".mp3")

    got = requests.get(url, auth=GOOD, allow_redirects=False, timeout=10)

    assert got.status_code == status
    assert requests.get(got.headers["Location"], timeout=10).content == twilio.media(recording.recording_sid)


def test_a_redirect_to_itself_is_a_loop(twilio: TwilioStandIn, recording: Recording) -> None:
    twilio.behave(recording.recording_sid, redirect(), times=FOREVER)

    with pytest.raises(requests.TooManyRedirects):
        requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)


def test_a_body_can_come_compressed_unasked(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, media().gzip())

    got = get_media({"Accept-Encoding": "identity"})

    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == twilio.media(recording.recording_sid)


def test_a_hundred_gigabytes_can_be_announced_and_begun(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    twilio.behave(recording.recording_sid, media().endless(), media().announce(10**11).truncate(10))
    url = twilio.media_url(recording.recording_sid, ".mp3")
    whole = twilio.media(recording.recording_sid)

    with requests.get(url, auth=GOOD, stream=True, timeout=10) as got:
        assert got.headers["Content-Length"] == str(10**11)
        assert got.raw.read(3 * len(whole)) == whole * 3
    assert twilio.wait_for_requests(finished=True)[0].outcome is Outcome.HUNG_UP
    assert raw_http.get(url, credentials).headers["content-length"] == str(10**11)


def test_an_endless_body_need_not_be_announced(twilio: TwilioStandIn, recording: Recording) -> None:
    twilio.behave(recording.recording_sid, media().endless(100_000).chunked())

    got = requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)

    assert len(got.content) == 100_000


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "part"),
    [
        ("bytes=100-199", 206, "bytes 100-199/8046", slice(100, 200)),
        ("bytes=8000-", 206, "bytes 8000-8045/8046", slice(8000, None)),
        ("bytes=8000-9999", 206, "bytes 8000-8045/8046", slice(8000, None)),
        ("bytes=8046-", 416, "bytes */8046", slice(0, 0)),
        ("lines=1-2", 200, None, slice(None)),
    ],
)
def test_a_range_is_honoured_only_when_told_to(
    twilio: TwilioStandIn,
    recording: Recording,
    get_media: GetMedia,
    asked: str,
    status: int,
    content_range: str | None,
    part: slice,
) -> None:
    twilio.behave(recording.recording_sid, media(), media().with_range())
    whole = twilio.media(recording.recording_sid)

    ignored, honoured = get_media({"Range": asked}), get_media({"Range": asked})

    assert (ignored.status, ignored.body) == (200, whole)
    assert (honoured.status, honoured.headers.get("content-range")) == (status, content_range)
    assert honoured.body == whole[part]


def test_headers_can_be_added_and_replaced(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, media().header("ETag", '"1"').header("content-type", "audio/x-other"))

    got = get_media()

    assert (got.headers["etag"], got.headers["content-type"]) == ('"1"', "audio/x-other")


def test_misbehaviours_compose(twilio: TwilioStandIn, recording: Recording, get_media: GetMedia) -> None:
    twilio.behave(recording.recording_sid, server_error(503).chunked().header("Retry-After", "2").truncate(5))

    got = get_media()

    assert (got.status, got.headers["retry-after"], raw_http.dechunked(got.body)) == (503, "2", (b"<?xml", False))


def test_an_outage_answers_everybody_the_same_until_it_is_over(
    twilio: TwilioStandIn, recording: Recording, get_media: GetMedia
) -> None:
    twilio.behave(recording.recording_sid, not_found())
    twilio.answer_all(server_error(503, retry_after=1))

    assert get_media().status == 503
    assert raw_http.get(twilio.media_url(recording.recording_sid, ".json"), {}).status == 503
    assert raw_http.get(twilio.url + "/anything", {}).status == 503

    twilio.answer_all(None)
    assert [get_media().status for _ in range(2)] == [404, 200]

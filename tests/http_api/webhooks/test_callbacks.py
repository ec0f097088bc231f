"""callbacks.py against the service's own checks: nothing that a genuine webhook says loses the recording."""

import base64
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core import encryption
from recording_service.core.errors import EncryptionDetailsInvalid
from recording_service.core.requests import RequestChecker
from recording_service.grpc_api import requests
from recording_service.http_api.webhooks import callbacks
from recording_service.http_api.webhooks.forms import Form
from recordings.v1.enqueue_pb2 import UnavailableReason

ACCOUNT = "AC" + "0a" * 16
RECORDING = "RE" + "1b" * 16
HOSTS = frozenset({"api.twilio.com"})

#: Characters that one side might take and the other refuse: not printable ones, above all.
ODD = st.text(st.sampled_from(list("ab1:/.%?-+\x00\r\n\x7f\u00a0\u200b\u2028\ufeff\U000e0001\u0664ä")), max_size=300)
#: Bytes in base64 of about the sizes that are taken, and texts that are not base64.
BASE64 = st.sampled_from([0, 11, 12, 13, 16, 17, 255, 256, 257, 1024, 1025]).map(bytes).map(base64.b64encode).map(
    bytes.decode
) | st.sampled_from(["", "====", "AAAA\n", "A" * 343, "\ud800", "Ä" * 344, "-_" * 172])
#: What Twilio might say of a recording's encryption, by whichever names.
NAMES = (
    "public_key_sid",
    "encryption_public_key_sid",
    "encrypted_cek",
    "encryption_cek",
    "iv",
    "encryption_iv",
    "type",
)
DETAILS: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    st.sampled_from(NAMES),
    st.sampled_from(["CR" + "0c" * 16, "CR" + "0C" * 16, "CR", 1, None, [], "rsa-aes"]) | BASE64,
)
#: Hints, each at what it might be and just beyond it.
HINTS: Mapping[str, st.SearchStrategy[str]] = {
    "RecordingUrl": st.one_of(
        ODD,
        st.builds(
            "{}{}{}{}".format,
            st.sampled_from(["", "http://api.twilio.com", "HTTPS://api.twilio.com", "https://API.twilio.com:99999"]),
            st.sampled_from([f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/", "/2010-04-01/x/", "/"]),
            st.sampled_from([RECORDING, RECORDING.lower(), "RE1", "RE" + "ff" * 16]),
            st.sampled_from(["", ".mp3", ".json?a=b", ".exe", "/x", "?" + "x" * 2100, "#x"]),
        ),
    ),
    "RecordingChannels": st.integers(-1, 101).map(str),
    "RecordingDuration": st.one_of(ODD, st.integers(-(10**12), 10**12).map(str)),
    "RecordingStartTime": st.one_of(
        ODD,
        st.builds(
            "Fri, {:02} {} {:04} {:02}:59:59 {}".format,
            st.integers(0, 32),
            st.sampled_from(["Jan", "Dec"]),
            st.sampled_from([0, 1, 69, 1900, 1970, 2016, 9999, 10000]),
            st.integers(0, 24),
            st.sampled_from(["+0000", "-2359", "+2359", "-9999", "EST", ""]),
        ),
    ),
    "RecordingSource": ODD,
    "RecordingTrack": ODD,
    "Direction": ODD,
    "From": st.one_of(ODD, st.integers(254, 257).map("x".__mul__)),
    "To": ODD,
    "EncryptionDetails": st.one_of(
        ODD,
        st.recursive(st.none() | st.booleans() | st.floats() | ODD, lambda inner: st.dictionaries(ODD, inner)).map(
            json.dumps
        ),
        DETAILS.map(json.dumps),
    ),
    "ErrorCode": st.one_of(ODD, st.integers(-(10**12), 10**12).map(str)),
}


@given(st.fixed_dictionaries({}, optional=dict(HINTS)))
def test_no_hint_makes_the_service_refuse_the_recording(hints: Mapping[str, str]) -> None:
    form = Form((("AccountSid", ACCOUNT), ("RecordingSid", RECORDING), *hints.items()))
    checker = RequestChecker(account_sids=[ACCOUNT], source_hosts=HOSTS)

    wish = requests.enqueue_request(callbacks.enqueue_request(form, HOSTS), checker, "")
    assert wish.key == (ACCOUNT, RECORDING)

    asked = callbacks.unavailable_request(form, UnavailableReason.UNAVAILABLE_REASON_ABSENT)
    assert requests.unavailable_report(asked, checker, "").key == (ACCOUNT, RECORDING)


@given(DETAILS)
def test_what_twilio_says_of_the_encryption_is_read_as_the_service_reads_it(said: dict[str, object]) -> None:
    form = Form((("AccountSid", ACCOUNT), ("RecordingSid", RECORDING), ("EncryptionDetails", json.dumps(said))))
    request = callbacks.enqueue_request(form, HOSTS)
    read = requests.enqueue_request(request, RequestChecker(account_sids=[ACCOUNT], source_hosts=HOSTS), "")
    try:
        expected = encryption.details_of(said)
    except EncryptionDetailsInvalid:
        expected = None
    assert read.encryption_details == expected


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"CR"', "[" * 100_000, "1" * 10_000])
def test_details_that_can_not_be_read_do_not_lose_the_recording(text: str) -> None:
    form = Form((("AccountSid", ACCOUNT), ("RecordingSid", RECORDING), ("EncryptionDetails", text)))
    assert not callbacks.enqueue_request(form, HOSTS).HasField("encryption_details")

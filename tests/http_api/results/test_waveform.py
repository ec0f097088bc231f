"""`/recordings/{sid}/waveform.json` and `waveform.dat`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.sound import WaveformLevel
from recording_service.http_api.results.audiowaveform import to_dat, to_json
from recordings.errors import ContractBroken
from recordings.v1.results_pb2 import GetWaveformResponse
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.results.making_results import WAVEFORM
from tests.http_api.running_app import Client

JSON = f"/recordings/{RECORDING}/waveform.json"
DAT = f"/recordings/{RECORDING}/waveform.dat"


@pytest.fixture(autouse=True)
def _drawn(recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    recordings.waveforms[RECORDING] = WAVEFORM


def test_json_is_audiowaveforms(client: Client) -> None:
    answer = client.get(JSON)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "version": 2,
        "channels": 2,
        "sample_rate": 8000,
        "samples_per_pixel": 400,
        "bits": 8,
        "length": 2,
        "data": [-128, 127, -1, 0, 1, 2, -2, 3],
    }
    assert answer.headers["content-disposition"] == f'inline; filename="waveform-{RECORDING}.json"'


def test_dat_is_audiowaveforms(client: Client) -> None:
    answer = client.get(DAT)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert answer.body == WaveformLevel(400, 8000, 2, 2, WAVEFORM.peaks).to_dat()


@given(st.integers(1, 24), st.integers(2, 2**31 - 1), st.integers(1, 192_000), st.integers(0, 50), st.randoms())
def test_both_forms_are_what_the_core_itself_writes(
    channels: int, samples_per_pixel: int, sample_rate: int, length: int, random: st.DrawFn
) -> None:
    peaks = random.randbytes(2 * channels * length)  # type: ignore[attr-defined]
    level = WaveformLevel(samples_per_pixel, sample_rate, channels, length, peaks)
    waveform = GetWaveformResponse(
        samples_per_pixel=samples_per_pixel, sample_rate=sample_rate, channels=channels, length=length, peaks=peaks
    )

    assert to_dat(waveform) == level.to_dat()
    assert json.loads(to_json(waveform)) == json.loads(level.to_json())


@pytest.mark.parametrize("write", [to_json, to_dat])
def test_a_waveform_whose_numbers_contradict_each_other_is_not_handed_on(write: object) -> None:
    with pytest.raises(ContractBroken):
        write(GetWaveformResponse(samples_per_pixel=400, sample_rate=8000, channels=2, length=2, peaks=b"123"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", 0),
        ("?samples_per_pixel=0", 0),
        ("?samples_per_pixel=512", 512),
        ("?samples_per_pixel=2147483647", 2**31 - 1),
    ],
)
@pytest.mark.parametrize("path", [JSON, DAT])
def test_the_zoom_is_handed_on(client: Client, recordings: FakeRecordings, path: str, query: str, asked: int) -> None:
    separator = "&" if query else "?"
    assert client.get(f"{path}{query}{separator}account_sid={ACCOUNT}").status == 200

    (request,) = recordings.of("GetWaveform")
    assert (request.account_sid, request.recording_sid, request.samples_per_pixel) == (ACCOUNT, RECORDING, asked)


@pytest.mark.parametrize(
    "query", ["=", "=-1", "=x", "=1.5", "=2147483648", "=99999999999", "=1&samples_per_pixel=1", "=%D9%A1"]
)
@pytest.mark.parametrize("path", [JSON, DAT])
def test_a_zoom_that_there_is_not_is_refused_by_its_name(
    client: Client, recordings: FakeRecordings, path: str, query: str
) -> None:
    answer = client.get(f"{path}?samples_per_pixel{query}")

    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")
    assert [error["field"] for error in answer.json()["errors"]] == ["samples_per_pixel"]
    assert recordings.asked == []


def test_each_zoom_has_an_entity_tag_of_its_own(client: Client, recordings: FakeRecordings) -> None:
    fine = client.get(JSON).headers["etag"]
    coarse = GetWaveformResponse(samples_per_pixel=8000, sample_rate=8000, channels=2, length=1, peaks=b"1234")
    recordings.waveforms[RECORDING] = coarse

    answer = client.get(JSON, If_None_Match=fine)

    assert answer.status == 200
    assert answer.headers["etag"] != fine
    assert len({fine, answer.headers["etag"], client.get(DAT).headers["etag"]}) == 3

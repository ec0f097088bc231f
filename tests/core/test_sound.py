"""The values of what is heard: warnings, and waveforms in audiowaveform's formats."""

import json
import struct
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.sound import (
    ChannelSound,
    Codec,
    Container,
    MediaUnreadable,
    Probe,
    ProbeWarning,
    UnreadableReason,
    WaveformLevel,
    warnings_of,
)

HEARD = ChannelSound(loudness_lufs=-21.0, peak_dbfs=-3.0, silence_share=0.6)
SILENT = ChannelSound(loudness_lufs=-64.0, peak_dbfs=-55.0, silence_share=1.0)
#: Somebody who said one word in an hour.
ONE_WORD = ChannelSound(loudness_lufs=-25.0, peak_dbfs=-3.0, silence_share=0.9999)
PROBE = Probe(Container.MP3, Codec.MP3, 22050, 2, 32_000, timedelta(seconds=61.4), (HEARD, HEARD))


# Warnings


@pytest.mark.parametrize("reported", [59.5, 60, 61, 62, 63.4, None])
def test_a_duration_as_twilio_rounds_it_is_no_warning(reported: float | None) -> None:
    assert warnings_of(PROBE, None if reported is None else timedelta(seconds=reported), 2) == ()


@pytest.mark.parametrize("reported", [0, 59, 64, 3600])
def test_a_duration_more_than_two_seconds_off_is_a_warning(reported: int) -> None:
    assert warnings_of(PROBE, timedelta(seconds=reported), 2) == (ProbeWarning.DURATION_MISMATCH,)


def test_another_number_of_channels_is_a_warning() -> None:
    assert warnings_of(PROBE, None, 1) == (ProbeWarning.CHANNELS_MISMATCH,)


def test_an_unknown_number_of_channels_is_none() -> None:
    assert warnings_of(PROBE, None, 0) == ()


@pytest.mark.parametrize(
    ("sounds", "expected"),
    [
        ((HEARD, SILENT), (ProbeWarning.CHANNEL_SILENT,)),
        ((SILENT, SILENT), (ProbeWarning.CHANNEL_SILENT,)),
        ((HEARD, ONE_WORD), ()),
    ],
)
def test_a_channel_on_which_nothing_is_heard_is_a_warning(
    sounds: tuple[ChannelSound, ...], expected: tuple[ProbeWarning, ...]
) -> None:
    assert warnings_of(replace(PROBE, channel_sounds=sounds), None, 2) == expected


def test_all_warnings_come_together() -> None:
    probe = replace(PROBE, channels=1, channel_sounds=(SILENT,))
    assert warnings_of(probe, timedelta(hours=1), 2) == tuple(ProbeWarning)


# Errors


@pytest.mark.parametrize("reason", UnreadableReason)
def test_what_can_not_be_read_says_why_in_words_of_its_own(reason: UnreadableReason) -> None:
    error = MediaUnreadable(reason)
    assert error.reason is reason
    others = {str(MediaUnreadable(other)) for other in UnreadableReason if other is not reason}
    assert str(error) not in others


# Waveforms


class Dat(NamedTuple):
    """A file of audiowaveform's, read by its doc/DataFormat.md."""

    version: int
    flags: int
    sample_rate: int
    samples_per_pixel: int
    length: int
    channels: int
    data: list[int]


def read_dat(content: bytes) -> Dat:
    """Byte by byte, as the tables of the format have it."""

    def integer(offset: int, *, signed: bool) -> int:
        return int.from_bytes(content[offset : offset + 4], "little", signed=signed)

    return Dat(
        version=integer(0, signed=True),
        flags=integer(4, signed=False),
        sample_rate=integer(8, signed=True),
        samples_per_pixel=integer(12, signed=True),
        length=integer(16, signed=False),
        channels=integer(20, signed=True),
        data=[byte - 256 if byte > 127 else byte for byte in content[24:]],
    )


LEVELS = st.tuples(st.integers(1, 24), st.integers(0, 40)).flatmap(
    lambda shape: st.builds(
        WaveformLevel,
        samples_per_pixel=st.integers(2, 2**31 - 1),
        sample_rate=st.integers(1, 2**31 - 1),
        channels=st.just(shape[0]),
        length=st.just(shape[1]),
        peaks=st.binary(min_size=2 * shape[0] * shape[1], max_size=2 * shape[0] * shape[1]),
    )
)
LEVEL = WaveformLevel(400, 8000, 2, 3, bytes([0x80, 0x7F, 0, 1, 0xFF, 2, 0xFE, 3, 0xFD, 4, 0xFC, 5]))


@given(LEVELS)
def test_the_binary_form_is_audiowaveforms_version_2(level: WaveformLevel) -> None:
    dat = read_dat(level.to_dat())
    assert dat[:6] == (2, 1, level.sample_rate, level.samples_per_pixel, level.length, level.channels)
    assert dat.data == [*struct.unpack(f"{len(level.peaks)}b", level.peaks)]


@given(LEVELS)
def test_the_binary_form_is_read_back_as_it_was(level: WaveformLevel) -> None:
    assert WaveformLevel.from_dat(level.to_dat()) == level


@given(LEVELS)
def test_the_json_form_has_what_the_binary_form_has(level: WaveformLevel) -> None:
    dat = read_dat(level.to_dat())
    assert json.loads(level.to_json()) == {
        "version": 2,
        "channels": dat.channels,
        "sample_rate": dat.sample_rate,
        "samples_per_pixel": dat.samples_per_pixel,
        "bits": 8,
        "length": dat.length,
        "data": dat.data,
    }


def test_the_json_form_is_written_as_audiowaveform_writes_it() -> None:
    assert LEVEL.to_json() == (
        '{"version":2,"channels":2,"sample_rate":8000,"samples_per_pixel":400,"bits":8,"length":3,'
        '"data":[-128,127,0,1,-1,2,-2,3,-3,4,-4,5]}'
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        LEVEL.to_dat()[:23],
        LEVEL.to_dat()[:-1],
        LEVEL.to_dat() + b"\0",
        b"\1" + LEVEL.to_dat()[1:],
        LEVEL.to_dat()[:4] + b"\0" + LEVEL.to_dat()[5:],
        struct.pack("<iIiiIi", 2, 1, 0, 400, 0, 1),
        struct.pack("<iIiiIi", 2, 1, 8000, 1, 0, 1),
        struct.pack("<iIiiIi", 2, 1, 8000, -400, 0, 1),
        struct.pack("<iIiiIi", 2, 1, 8000, 400, 0, 0),
        struct.pack("<iIiiIi", 2, 1, 8000, 400, 0, 25),
        struct.pack("<iIiiIi", 2, 1, 8000, 400, 2**32 - 1, 1),
    ],
)
def test_a_malformed_waveform_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"waveform|pixels"):
        WaveformLevel.from_dat(content)


@given(st.binary(max_size=64))
def test_bytes_are_a_waveform_or_refused(content: bytes) -> None:
    try:
        level = WaveformLevel.from_dat(content)
    except ValueError:
        return
    assert level.to_dat() == content

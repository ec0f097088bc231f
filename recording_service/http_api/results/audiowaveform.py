"""The two forms in which BBC's audiowaveform writes a waveform, and peaks.js and waveform-data.js read it.

Version 2 with 8 bits (doc/DataFormat.md in bbc/audiowaveform).
"""

import json
import struct
from typing import Final

from recordings.errors import ContractBroken
from recordings.v1.results_pb2 import GetWaveformResponse

_VERSION: Final = 2
_BITS: Final = 8
_EIGHT_BITS_FLAG: Final = 1
#: Each byte, as the signed number that it is.
_WRITTEN: Final = tuple(str(number) for number in (*range(128), *range(-128, 0)))
#: int32 version, uint32 flags, int32 sample rate, int32 samples per pixel, uint32 length, int32 channels.
_HEADER: Final = struct.Struct("<iIiiIi")


def to_json(waveform: GetWaveformResponse) -> bytes:
    """The JSON form, on one line. Raises ContractBroken for a waveform whose numbers contradict each other.

    The numbers are written by looking each up: `json` takes six times as long for as many, and keeps every other thread
    waiting for all of it.
    """
    described = json.dumps(
        {
            "version": _VERSION,
            "channels": waveform.channels,
            "sample_rate": waveform.sample_rate,
            "samples_per_pixel": waveform.samples_per_pixel,
            "bits": _BITS,
            "length": waveform.length,
        },
        separators=(",", ":"),
    )
    data = ",".join([_WRITTEN[peak] for peak in _peaks(waveform)])
    return f'{described[:-1]},"data":[{data}]}}'.encode()


def to_dat(waveform: GetWaveformResponse) -> bytes:
    """The binary form. Raises as `to_json`."""
    header = _HEADER.pack(
        _VERSION,
        _EIGHT_BITS_FLAG,
        waveform.sample_rate,
        waveform.samples_per_pixel,
        waveform.length,
        waveform.channels,
    )
    return header + _peaks(waveform)


def _peaks(waveform: GetWaveformResponse) -> bytes:
    if len(waveform.peaks) != 2 * waveform.channels * waveform.length:
        raise ContractBroken("a waveform whose peaks are not as many as its pixels")
    return waveform.peaks

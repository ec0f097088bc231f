"""What the demo shows of a recording's sound: the probe, the waveform and the transcript, as text."""

from recordings.v1 import recording_pb2, results_pb2

_BARS = " ▁▂▃▄▅▆▇█"
#: The largest sample of a waveform.
_LOUDEST = 128


def probe_line(recording: recording_pb2.Recording) -> str:
    """What the probe has found, in one line."""
    probe = recording.probe
    sounds = ", ".join(
        f"{sound.loudness_lufs:.1f} LUFS and {sound.silence_share:.0%} silence" for sound in probe.channel_sounds
    )
    length = probe.duration.ToTimedelta().total_seconds()
    return f"{length:.3f} s of {probe.codec} at {probe.sample_rate} Hz, {probe.bit_rate // 1000} kbit/s: {sounds}"


def waveform_text(waveform: results_pb2.GetWaveformResponse, columns: int) -> str:
    """The waveform as a row of bars, the loudest sample of all channels in each."""
    peaks = memoryview(waveform.peaks).cast("b")
    width = 2 * waveform.channels
    shown = min(columns, waveform.length)
    bars = []
    for column in range(shown):
        begin, end = (waveform.length * edge // shown for edge in (column, column + 1))
        loudest = max(abs(peak) for peak in peaks[begin * width : max(end, begin + 1) * width])
        bars.append(_BARS[min(len(_BARS) - 1, loudest * len(_BARS) // _LOUDEST)])
    return "".join(bars)

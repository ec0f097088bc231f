"""What the configuration makes of the core's settings."""

from dataclasses import asdict

import pytest

from recording_service.config import Settings
from recording_service.core.scrub import ScrubSettings
from recording_service.processes import wiring


def test_the_scrub_waits_by_the_time_scale_and_reads_at_the_rate_that_is_set() -> None:
    usual = asdict(ScrubSettings())
    scaled = asdict(wiring.scrub_settings(Settings(time_scale=0.01, scrub_bytes_per_second=12345)))
    assert scaled.pop("bytes_per_second") == 12345
    assert usual.pop("bytes_per_second") == Settings().scrub_bytes_per_second
    assert scaled == {name: pytest.approx(seconds * 0.01) for name, seconds in usual.items()}

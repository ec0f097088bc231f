"""What the configuration makes of the core's settings."""

from dataclasses import asdict

import pytest

from recording_service.config import Settings
from recording_service.core.scrub import ScrubSettings
from recording_service.processes import wiring


def test_the_scrub_waits_by_the_time_scale_and_reads_as_fast_and_as_often_as_is_set() -> None:
    usual = asdict(ScrubSettings())
    settings = Settings(time_scale=0.01, scrub_bytes_per_second=12345, scrub_interval_seconds=7.0)
    scaled = asdict(wiring.scrub_settings(settings))
    assert (scaled.pop("bytes_per_second"), scaled.pop("interval_seconds")) == (12345, 7.0)
    assert (usual.pop("bytes_per_second"), usual.pop("interval_seconds")) == (
        Settings().scrub_bytes_per_second,
        Settings().scrub_interval_seconds,
    )
    assert scaled == {name: pytest.approx(seconds * 0.01) for name, seconds in usual.items()}


def test_the_scrub_rests_no_longer_than_objects_are_left_alone() -> None:
    assert wiring.scrub_settings(Settings(scrub_interval_seconds=7.0)).rest_seconds == 7.0

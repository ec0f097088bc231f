"""Settings that would starve calls are refused."""

import pytest

from recording_service.grpc_api.settings import MIN_SPARE_THREADS, GrpcServerSettings


def test_the_defaults_are_those_of_the_design() -> None:
    settings = GrpcServerSettings()

    assert (settings.threads, settings.streams, settings.watchers) == (544, 256, 224)
    assert dict(settings.channel_options()) == {
        "grpc.so_reuseport": 0,
        "grpc.max_concurrent_streams": 1024,
        "grpc.max_receive_message_length": 4 * 1024 * 1024,
        "grpc.keepalive_time_ms": 60_000,
        "grpc.keepalive_timeout_ms": 20_000,
        "grpc.http2.min_recv_ping_interval_without_data_ms": 15_000,
        "grpc.max_connection_age_ms": 1_800_000,
        "grpc.max_connection_age_grace_ms": 600_000,
    }


def test_threads_that_streams_and_watchers_could_all_hold_are_refused() -> None:
    enough = 10 + 20 + 5 + MIN_SPARE_THREADS

    GrpcServerSettings(threads=enough, streams=10, watchers=20, health_watchers=5)
    with pytest.raises(ValueError, match="too few"):
        GrpcServerSettings(threads=enough - 1, streams=10, watchers=20, health_watchers=5)

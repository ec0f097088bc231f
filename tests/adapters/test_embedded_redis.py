"""The private Redis of `serve`: private, durable, and gone when its process is."""

import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from recording_service.adapters import embedded_redis
from recording_service.adapters.embedded_redis import (
    EmbeddedRedis,
    EmbeddedRedisFailed,
    find_redis_server,
)
from recording_service.adapters.private_sockets import LONGEST_SOCKET_PATH
from recording_service.adapters.redis_client import api_client
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """Not started yet; stopped in the end."""
    server = EmbeddedRedis(tmp_path / "data")
    yield server
    server.stop()


def socket_path(server: EmbeddedRedis) -> Path:
    return Path(unquote(urlsplit(server.url).path))


def config(server: EmbeddedRedis, name: str) -> str:
    client = api_client(server.url)
    try:
        return str(client.config_get(name)[name])
    finally:
        client.close()


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than one that only waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_answers_when_start_returns(embedded: EmbeddedRedis) -> None:
    assert not embedded.alive()
    assert embedded.process_id is None
    embedded.start()

    client = api_client(embedded.url)
    assert client.ping()
    assert embedded.alive()
    assert client.info("server")["process_id"] == embedded.process_id
    client.close()


def test_starting_what_is_alive_changes_nothing(embedded: EmbeddedRedis) -> None:
    embedded.start()
    before = embedded.process_id, embedded.url
    embedded.start()

    assert (embedded.process_id, embedded.url) == before


def test_nobody_else_can_reach_it(embedded: EmbeddedRedis) -> None:
    embedded.start()
    path = socket_path(embedded)

    assert config(embedded, "port") == "0"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(os.fsencode(path)) < 100


def test_it_drops_nothing_and_keeps_what_it_was_told(embedded: EmbeddedRedis) -> None:
    embedded.start()

    assert config(embedded, "maxmemory-policy") == "noeviction"
    assert config(embedded, "appendonly") == "yes"
    assert config(embedded, "appendfsync") == "everysec"
    assert config(embedded, "save") == ""


def test_what_was_queued_is_there_after_a_stop_and_after_a_crash(embedded: EmbeddedRedis) -> None:
    embedded.start()
    client = api_client(embedded.url)
    client.rpush("queue", "first")
    client.close()
    embedded.stop()
    assert not embedded.alive()

    embedded.start()
    client = api_client(embedded.url)
    assert client.lrange("queue", 0, -1) == [b"first"]
    client.rpush("queue", "second")
    eventually(lambda: client.info("persistence")["aof_buffer_length"] == 0, what="the write to the file")
    assert embedded.process_id is not None
    os.kill(embedded.process_id, signal.SIGKILL)
    eventually(lambda: not embedded.alive())
    url = embedded.url
    embedded.start()
    assert embedded.url == url
    assert client.lrange("queue", 0, -1) == [b"first", b"second"]
    client.close()


def test_its_files_are_for_its_owner_alone(embedded: EmbeddedRedis, tmp_path: Path) -> None:
    embedded.start()
    client = api_client(embedded.url)
    client.set("key", "value")
    client.close()
    embedded.stop()

    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in kept)


def test_stop_leaves_neither_process_nor_socket_and_may_be_repeated(embedded: EmbeddedRedis) -> None:
    embedded.start()
    path, pid = socket_path(embedded), embedded.process_id
    assert pid is not None
    embedded.stop()
    embedded.stop()

    assert not path.parent.exists()
    assert not is_running(pid)
    assert embedded.process_id is None


def test_one_that_does_not_end_is_killed(embedded: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_redis, "STOP_SECONDS", 0.2)
    embedded.start()
    pid = embedded.process_id
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    embedded.stop()

    assert not is_running(pid)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_process_whichever_way_that_ends(tmp_path: Path, end: signal.Signals) -> None:
    program = (
        "import sys, signal; from pathlib import Path\n"
        "from recording_service.adapters.embedded_redis import EmbeddedRedis\n"
        "server = EmbeddedRedis(Path(sys.argv[1])); server.start()\n"
        "print(server.process_id, server.url, flush=True)\n"
        "signal.pause()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "data")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        told_pid, url = parent.stdout.readline().split()
        pid = int(told_pid)
        assert is_running(pid)
        parent.send_signal(end)
        parent.wait(10)

    eventually(lambda: not is_running(pid), within=5.0, what="the end of Redis")
    # Nobody was left to remove the socket.
    shutil.rmtree(Path(urlsplit(url).path).parent)


def test_a_ctrl_c_is_not_for_redis(embedded: EmbeddedRedis) -> None:
    embedded.start()
    assert embedded.process_id is not None

    assert os.getpgid(embedded.process_id) != os.getpgid(0)


def test_what_it_says_goes_to_our_log(embedded: EmbeddedRedis, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=embedded_redis.__name__):
        embedded.start()
        embedded.stop()

    assert any("redis: " in record.message and "version" in record.message for record in caplog.records)


def test_it_needs_no_thread_so_that_its_process_may_fork(embedded: EmbeddedRedis) -> None:
    before = threading.active_count()
    embedded.start()

    assert threading.active_count() == before


def test_it_goes_on_when_nobody_listens_to_what_it_says(
    embedded: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.start()
    client = api_client(embedded.url)
    for _ in range(20):
        client.eval("for i = 1, 100 do redis.log(redis.LOG_WARNING, string.rep('x', 500)) end", 0)
    assert client.ping()
    with caplog.at_level(logging.INFO, logger=embedded_redis.__name__):
        assert embedded.alive()

    assert sum("xxx" in record.message for record in caplog.records) > 50
    client.close()


def test_a_kept_file_that_is_broken_is_an_error_that_says_so(embedded: EmbeddedRedis, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "appendonly.aof").write_bytes(b"no commands at all\r\n" * 3)
    with pytest.raises(EmbeddedRedisFailed, match=r"ended at once: .*append only file"):
        embedded.start()

    assert not embedded.alive()
    with pytest.raises(RuntimeError):
        _ = embedded.url


def test_one_that_does_not_answer_in_time_is_an_error_and_ended(
    embedded: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexec cat <> /dev/zero > /dev/null\n")
    mute.chmod(0o700)
    monkeypatch.setattr(embedded_redis, "START_SECONDS", 0.2)
    monkeypatch.setattr(embedded_redis, "find_redis_server", lambda: mute)
    with pytest.raises(EmbeddedRedisFailed, match="did not answer"):
        embedded.start()

    assert not embedded.alive()


def test_a_failed_restart_keeps_the_place_for_the_next_one(
    embedded: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.start()
    url = embedded.url
    assert embedded.process_id is not None
    os.kill(embedded.process_id, signal.SIGKILL)
    eventually(lambda: not embedded.alive())
    with monkeypatch.context() as patched:
        patched.setattr(embedded_redis, "find_redis_server", lambda: Path("/bin/false"))
        with pytest.raises(EmbeddedRedisFailed):
            embedded.start()
    embedded.start()

    assert embedded.url == url


def test_a_temporary_directory_with_a_long_name_is_passed_over(
    embedded: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    embedded.start()

    assert len(os.fsencode(socket_path(embedded))) <= LONGEST_SOCKET_PATH
    assert list(long.iterdir()) == []


def fake_server(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    server = folder / name
    server.write_text(f"#!/bin/sh\necho '{says}'\n")
    server.chmod(0o700)
    return server


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("redis-server", "Redis server v=7.2.5 sha=00000000:0 malloc=libc bits=64 build=0"),
        ("valkey-server", "Valkey server v=8.0.1 sha=00000000:0 malloc=libc bits=64 build=0"),
    ],
)
def test_a_server_on_the_path_is_preferred(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, says: str
) -> None:
    server = fake_server(tmp_path / "bin", name, says)
    monkeypatch.setenv("PATH", f"{server.parent}:/bin:/usr/bin")

    assert find_redis_server() == server


def test_a_server_that_is_too_old_or_broken_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = fake_server(tmp_path / "bin", "redis-server", "Redis server v=6.0.16 sha=00000000:0 malloc=libc bits=64")
    broken = fake_server(tmp_path / "bin", "valkey-server", "Illegal instruction")
    monkeypatch.setenv("PATH", str(old.parent))

    assert find_redis_server() not in (old, broken)


def test_no_server_at_all_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedRedisFailed, match="RECORDING_REDIS_URL"):
        find_redis_server()

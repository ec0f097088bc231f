"""`recording-service backup` as an operator knows it: while the service runs, again and again, and when it can't."""

import fcntl
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2
from tests.support.commands import run
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service


def ready_recordings(service: RunningService, count: int, duration: float = 3) -> list[str]:
    recording_sids = [service.twilio.add_recording(duration=duration).recording_sid for _ in range(count)]
    for recording_sid in recording_sids:
        service.enqueue(recording_sid)
    for recording_sid in recording_sids:
        service.processed(recording_sid)
    return recording_sids


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a service that has two recordings, and has stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        running_service(folder, twilio, RECORDING_TIME_SCALE="0.1") as service,
    ):
        ready_recordings(service, 2, duration=120)
        return service.environment


def names(folder: Path) -> list[str]:
    """Whatever is in a folder, but for its lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".backup.lock")


def copied_shelf(stopped: dict[str, str], folder: Path) -> Path:
    """A shelf that may be damaged."""
    shelf = folder / "shelf"
    subprocess.run(["cp", "-a", f"{stopped['RECORDING_DATA_DIR']}/recordings", shelf], check=True)
    return shelf


def test_a_backup_of_a_running_service_is_a_data_directory(
    service: RunningService, tmp_path: Path, twilio: TwilioStandIn
) -> None:
    recording_sids = ready_recordings(service, 3)
    folder = tmp_path / "data"

    first = run("backup", str(folder), variables=service.environment)
    assert first.returncode == 0, first.stderr
    assert names(folder) == ["catalogue.sqlite3", "recordings"]
    more = ready_recordings(service, 1)
    second = run("backup", str(folder), variables=service.environment)
    assert second.returncode == 0, second.stderr
    assert " 1 recordings copied" in second.stdout
    assert "Traceback" not in first.stderr + second.stderr

    twilio.down()  # nothing is to be had but what is in the backup
    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as restored:
        for recording_sid in recording_sids + more:
            assert restored.stream(recording_sid) == service.twilio.media(recording_sid)
            assert restored.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED


def test_a_backup_may_be_made_of_a_service_that_is_stopped(stopped: dict[str, str], tmp_path: Path) -> None:
    made = run("backup", str(tmp_path / "new" / "folder"), variables=stopped)

    assert made.returncode == 0, made.stderr
    assert "2 rows, 2 recordings copied (" in made.stdout
    assert ", 0 were there already, 0 taken away, 0 missing" in made.stdout


def test_a_recording_that_the_shelf_has_lost_is_reported(stopped: dict[str, str], tmp_path: Path) -> None:
    shelf = copied_shelf(stopped, tmp_path)
    lost, _ = sorted(shelf.glob("AC*/RE*/*"))
    lost.unlink()

    made = run("backup", str(tmp_path / "copy"), variables={**stopped, "RECORDING_STORAGE_URL": str(shelf)})

    assert made.returncode == 1
    assert "1 missing" in made.stdout
    assert lost.parent.name in made.stderr
    assert names(tmp_path / "copy") == ["catalogue.sqlite3", "recordings"]


@pytest.mark.parametrize("options", [[], ["--shelf-only"]])
def test_a_recording_cut_short_on_the_shelf_does_not_cost_its_whole_copy(
    stopped: dict[str, str], tmp_path: Path, options: list[str]
) -> None:
    variables = {**stopped, "RECORDING_STORAGE_URL": str(copied_shelf(stopped, tmp_path))}
    backup = ["backup", *options, str(tmp_path / "copy")]
    assert run(*backup, variables=variables).returncode == 0
    cut, _ = sorted((tmp_path / "shelf").glob("AC*/RE*/*"))
    whole = cut.read_bytes()
    cut.chmod(0o600)
    os.truncate(cut, 60)

    again = run(*backup, variables=variables)

    assert again.returncode == (1 if options else 0), again.stderr
    assert f", {1 if options else 0} of another size left as they were" in again.stdout
    assert (tmp_path / "copy" / "recordings" / cut.relative_to(tmp_path / "shelf")).read_bytes() == whole


def test_a_recording_that_can_not_be_read_is_counted_and_the_rest_is_a_backup(
    stopped: dict[str, str], tmp_path: Path
) -> None:
    shelf = copied_shelf(stopped, tmp_path)
    unreadable, _ = sorted(shelf.glob("AC*/RE*/*"))
    unreadable.chmod(0)
    # Root would be let in; without its capabilities it is a user like any other.
    unprivileged = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    command = [*unprivileged, sys.executable, "-m", "recording_service", "backup", str(tmp_path / "copy")]
    variables = {**stopped, "RECORDING_STORAGE_URL": str(shelf)}

    made = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    assert made.returncode == 1, made.stderr
    assert "1 recordings copied (" in made.stdout
    assert "1 missing, 1 unreadable, " in made.stdout
    assert unreadable.parent.name in made.stderr
    assert names(tmp_path / "copy") == ["catalogue.sqlite3", "recordings"]


def test_what_is_cut_short_is_no_backup_and_leaves_the_one_before(stopped: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    small_files_only = ["bash", "-c", 'ulimit -f 300; exec "$@"', "-"]  # blocks of 1 KiB
    command = [*small_files_only, sys.executable, "-m", "recording_service", "backup", str(folder)]

    def cut_short() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=stopped, capture_output=True, text=True, timeout=60, check=False)

    failed = cut_short()
    assert failed.returncode == 69, failed.stderr
    assert f"{folder}/recordings can't be written: File too large" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert names(folder) == ["recordings"]
    assert [path for path in (folder / "recordings").rglob("*") if path.is_file()] == []

    assert run("backup", str(folder), variables=stopped).returncode == 0
    before = (folder / "catalogue.sqlite3").stat()
    next((folder / "recordings").glob("AC*/RE*/*")).unlink()
    assert cut_short().returncode == 69
    assert (folder / "catalogue.sqlite3").stat() == before


def test_a_backup_shows_on_a_terminal_how_far_it_is(stopped: dict[str, str], tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "recording_service", "backup", str(tmp_path / "copy")]
    made = subprocess.run(command, env=stopped, stderr=terminal, stdout=subprocess.PIPE, timeout=60, check=False)
    os.close(terminal)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)

    assert made.returncode == 0
    assert "catalogue" in shown
    assert "recordings" in shown
    assert "100%" in shown


def test_a_catalogue_in_postgresql_is_left_to_pg_dump(stopped: dict[str, str], tmp_path: Path) -> None:
    variables = {**stopped, "RECORDING_DATABASE_URL": "postgresql://someone:hidden@127.0.0.1:1/recordings"}

    refused = run("backup", str(tmp_path / "copy"), variables=variables)
    assert refused.returncode == 78
    assert "RECORDING_DATABASE_URL" in refused.stderr
    assert "pg_dump" in refused.stderr
    assert "hidden" not in refused.stderr + refused.stdout
    assert not (tmp_path / "copy").exists()

    made = run("backup", "--shelf-only", str(tmp_path / "copy"), variables=variables)
    assert made.returncode == 0, made.stderr
    assert "catalogue left out, 2 recordings copied" in made.stdout
    assert names(tmp_path / "copy") == ["recordings"]


def test_a_folder_that_is_not_fit_is_refused_and_named(stopped: dict[str, str], tmp_path: Path) -> None:
    data = Path(stopped["RECORDING_DATA_DIR"])
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(data)
    before = sorted(data.rglob("*"))

    for folder, said in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "below", "can't be"),
        (tmp_path / "what?", "question mark"),
        (data, "is where the catalogue itself is"),
        (data / "backup", "is inside"),
        (data / "recordings" / "backup", "is inside"),
        (tmp_path / "link" / "backup", "is inside"),
        (Path("/proc/nowhere"), "can't be made"),
    ):
        refused = run("backup", str(folder), variables=stopped)
        assert refused.returncode == 78, refused.stderr
        assert str(folder) in refused.stderr
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    assert sorted(data.rglob("*")) == before


def test_the_data_directory_of_another_service_is_not_written_over(stopped: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "serve.lock").touch()

    refused = run("backup", str(tmp_path), variables=stopped)

    assert refused.returncode == 78
    assert "data directory of a `serve`" in refused.stderr
    assert names(tmp_path) == ["serve.lock"]


def test_two_backups_into_one_folder_at_once_are_refused(stopped: dict[str, str], tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / ".backup.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    refused = run("backup", str(tmp_path), variables=stopped)
    os.close(descriptor)

    assert refused.returncode == 78
    assert "another backup" in refused.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("missing", ["catalogue", "shelf"])
def test_where_there_is_nothing_to_be_copied_nothing_is_made(
    stopped: dict[str, str], tmp_path: Path, missing: str
) -> None:
    nowhere = tmp_path / "nowhere"
    variable = "RECORDING_DATA_DIR" if missing == "catalogue" else "RECORDING_STORAGE_URL"

    refused = run("backup", str(tmp_path / "copy"), variables={**stopped, variable: str(nowhere)})

    assert refused.returncode == 78
    assert f"there is no {missing} at {nowhere}" in refused.stderr
    assert names(tmp_path) == []


def test_a_file_that_is_no_catalogue_is_named(stopped: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").write_text("this is no database" * 100)

    failed = run(
        "backup",
        str(tmp_path / "copy"),
        variables={**stopped, "RECORDING_DATABASE_URL": f"sqlite:///{tmp_path}/other"},
    )

    assert failed.returncode == 69
    assert f"{tmp_path}/other can't be copied: file is not a database" in failed.stderr
    assert names(tmp_path / "copy") == ["recordings"]

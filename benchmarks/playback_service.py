"""`serve` with one recording to be played, and what its parts between the shelf and the player take."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.prepared_recordings import ACCOUNT_SID, prepare, recording_sid
from benchmarks.process_memory import family, name, proportional
from benchmarks.processor_time import processor_seconds
from benchmarks.service_process import service_process
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue

#: The processes that bytes pass through.
PARTS = ("http", "grpc")


@dataclass(frozen=True, slots=True)
class PlaybackService:
    """A service that listens."""

    http_port: int
    #: Where the recording is played, and where its bytes are on the shelf.
    path: str
    file: Path
    _pids: dict[str, int]

    def processor_seconds(self) -> dict[str, float]:
        """What each part has used since its start."""
        return {part: processor_seconds(pid) for part, pid in self._pids.items()}

    def memory(self) -> dict[str, float]:
        """What each part has, in MiB (PSS)."""
        return {part: proportional(pid) for part, pid in self._pids.items()}


@contextmanager
def playback_service(folder: Path, size_bytes: int) -> Iterator[PlaybackService]:
    """Runs `serve` with a recording of that size, until the end of the block."""
    sid = recording_sid(1)
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    with (
        closing(SqlCatalogue.open(f"sqlite:///{data_dir / 'catalogue.sqlite3'}")) as catalogue,
        closing(DiskStorage.at(data_dir / "recordings")) as storage,
    ):
        prepare(catalogue, storage, [sid], size_bytes)
    file = data_dir / "recordings" / ACCOUNT_SID / sid / "1.mp3"
    with service_process("serve", folder) as service:
        pids = {name(pid): pid for pid in family(service.pid)}
        yield PlaybackService(
            service.http_port, f"/recordings/{sid}/stream", file, {part: pids[part] for part in PARTS}
        )

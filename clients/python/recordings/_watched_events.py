"""Where a watch of events is, and how it goes on from there. Free of input and output: both flavours share it."""

from recordings.errors import ContractBroken
from recordings.v1.watch_pb2 import WatchRecordingsRequest, WatchRecordingsResponse


class EventPlace:
    """What has come so far. Without a revision in the first request, a snapshot comes first."""

    def __init__(self, request: WatchRecordingsRequest) -> None:
        self._first = request
        self._after_revision = request.after_revision if request.HasField("after_revision") else None

    def request(self) -> WatchRecordingsRequest:
        """What to ask for to go on; a snapshot that is not complete begins anew."""
        request = WatchRecordingsRequest()
        request.CopyFrom(self._first)
        if self._after_revision is not None:
            request.after_revision = self._after_revision
        return request

    def take(self, message: WatchRecordingsResponse) -> bool:
        """Notes a message; whether the stream is to be given up after it, for one of events.

        Raises:
            ContractBroken: events would be missing before it.
        """
        if self._after_revision is None:
            if not message.snapshot_complete:
                return False
            self._after_revision = message.after_revision
            return True
        if message.after_revision <= self._after_revision:
            raise ContractBroken("an event that does not come after the ones before")
        self._after_revision = message.after_revision
        return False

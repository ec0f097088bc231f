"""The stand-in itself: Twilio's recordings behind its paths and credentials, and its webhooks."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from recording_service.twilio_stand_in import webhooks
from recording_service.twilio_stand_in.accounts import Account, Accounts
from recording_service.twilio_stand_in.answers import Answer
from recording_service.twilio_stand_in.documents import resource_path
from recording_service.twilio_stand_in.gate import DEADLINE_SECONDS, Gate
from recording_service.twilio_stand_in.listener import Listener
from recording_service.twilio_stand_in.recording import Recording, Recordings
from recording_service.twilio_stand_in.request_log import Request, RequestLog
from recording_service.twilio_stand_in.responder import Responder
from recording_service.twilio_stand_in.route import Endpoint
from recording_service.twilio_stand_in.script import Scripts

#: Shortest and longest recording that is invented for an unknown SID, in seconds.
INVENTED_SECONDS = (8, 90)


class TwilioStandIn:
    """A Twilio of one's own, in this process: a context manager, or `start` and `stop`.

    Methods may be called from any thread, also while requests are under way.

    Args:
        account_sid: The first account; `add_account` adds more.
        auth_token: Its token, for Basic authentication and for signing webhooks.
        api_key: An API key of it (`SK…`), which opens media.
        api_secret: The key's secret.
        host: The address listened on.
        port: 0 takes any that is free; `url` names it.
        invent_recordings: Makes up a recording for every well-formed SID that is asked for but unknown.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        api_key: str | None = None,
        api_secret: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        invent_recordings: bool = False,
    ) -> None:
        self.account_sid = account_sid
        self._host = host
        self._accounts = Accounts()
        self._recordings = Recordings(account_sid, _invented if invent_recordings else None)
        self._scripts = Scripts()
        self._log = RequestLog()
        self._responder = Responder(self._accounts, self._recordings, self._scripts, self._log, lambda: self.url)
        self._listener = Listener(self._responder.serve, host, port)
        self.add_account(account_sid, auth_token, api_key=api_key, api_secret=api_secret)

    def start(self) -> Self:
        """Listens, and answers from then on. Raises OSError when the port is taken."""
        self._listener.start()
        return self

    def stop(self) -> None:
        """Cuts what is under way, held answers too, and ends all threads; raises what went wrong inside. Idempotent."""
        self._listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What to use for https://api.twilio.com: scheme, host and port."""
        return f"http://{self._host}:{self._listener.port}"

    # Accounts

    def add_account(
        self, account_sid: str, auth_token: str, *, api_key: str | None = None, api_secret: str | None = None
    ) -> None:
        """Adds an account, or takes it in place of the one of that SID."""
        self._accounts.put(Account(account_sid, auth_token, api_key, api_secret))

    def set_auth_token(self, account_sid: str, auth_token: str) -> None:
        """Changes an account's token at once: the old one gets 401 and signs no more. KeyError when it is unknown."""
        self._accounts.set_auth_token(account_sid, auth_token)

    # Recordings

    def add_recording(self, recording: Recording | None = None, **fields: Any) -> Recording:
        """Adds a recording, given whole or by its fields, and returns it as it now is.

        Raises ValueError when the SID is taken, KeyError when the account is unknown.
        """
        made = Recording(**fields) if recording is None else recording
        self._accounts.get(made.account_sid or self.account_sid)
        return self._recordings.add(made)

    def set_status(self, recording_sid: str, status: str) -> Recording:
        """Moves a recording to another of Twilio's statuses; anything but `completed` takes its media away (404)."""
        return self._recordings.set_status(recording_sid, status)

    def media(self, recording_sid: str, extension: str = ".mp3", *, channels: int | None = None) -> bytes:
        """The very bytes that are served, with any misbehaviour left out: what a test compares with.

        Raises KeyError when the recording is unknown.
        """
        return self._recordings.media(recording_sid, extension, channels)

    def plain_media(self, recording_sid: str) -> bytes:
        """What an encrypted recording is once it is decrypted: a WAV, or the `body` it was given. KeyError likewise."""
        return self._recordings.plain_media(recording_sid)

    def media_url(self, recording_sid: str, extension: str = "") -> str:
        """Where a recording is served; without an extension as a webhook names it."""
        recording = self._recordings.get(recording_sid)
        return f"{self.url}{resource_path(recording)}{extension}"

    def cdn_url(self, recording_sid: str) -> str:
        """Where a recording's MP3 is served without credentials, and refused with them, as S3 does: for redirects."""
        return f"{self.url}/cdn/{self._recordings.get(recording_sid).recording_sid}.mp3"

    # Misbehaviour

    def behave(
        self,
        recording_sid: str,
        answer: Answer,
        *more: Answer,
        times: int | None = 1,
        at: Endpoint = Endpoint.MEDIA,
    ) -> None:
        """Sets what the next requests for a recording's audio are answered; after the last all is well again.

        Answers follow those set before and not used yet. Credentials and SIDs are checked first: a request that fails
        there uses up no answer. Metadata (`.json`, `.xml`) is always answered well.

        Args:
            recording_sid: Whose audio; raises KeyError when it is unknown.
            answer: The first answer.
            more: The answers after it.
            times: How often the whole sequence is gone through; FOREVER stays with its last answer.
            at: Which address of the audio: Twilio's own, or `cdn_url`.
        """
        self._recordings.get(recording_sid)
        self._scripts.add((recording_sid, at), (answer, *more), times)

    def behave_well(self, recording_sid: str) -> None:
        """Forgets all misbehaviour of a recording. Idempotent."""
        for at in Endpoint:
            self._scripts.clear((recording_sid, at))

    def hold(self, recording_sid: str, after: int = 0) -> Gate:
        """Holds the next answer after so many bytes of its body (negative: from the end) at the gate returned."""
        gate = Gate()
        self.behave(recording_sid, Answer().hold(gate, after=after))
        return gate

    def answer_all(self, answer: Answer | None) -> None:
        """Answers every request so, whatever it asks for and whoever asks, until called with None: an outage."""
        self._responder.answer_all(answer)

    def down(self) -> None:
        """Cuts all connections and refuses new ones; the port stays ours. Idempotent."""
        self._listener.down()

    def up(self) -> None:
        """Is there again, on the same port. Idempotent."""
        self._listener.up()

    # Requests

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first, as they are now."""
        return self._log.snapshot()

    def wait_for_requests(
        self,
        count: int = 1,
        *,
        recording_sid: str | None = None,
        finished: bool = False,
        where: Callable[[Request], bool] = lambda _: True,
        timeout: float = DEADLINE_SECONDS,
    ) -> list[Request]:
        """Blocks until that many requests have come (and ended, if `finished`) and returns them, oldest first.

        Args:
            count: How many, of all since the start.
            recording_sid: Counts only requests for this recording.
            finished: Counts only those whose outcome is known.
            where: Counts only those it is true for.
            timeout: Seconds after which TimeoutError is raised.
        """

        def wanted(request: Request) -> bool:
            right_recording = recording_sid is None or request.recording_sid == recording_sid
            return right_recording and (request.outcome is not None or not finished) and where(request)

        return self._log.wait_for(wanted, count, timeout)

    # Webhooks

    def send_webhook(
        self,
        url: str,
        recording_sid: str,
        status: str = "completed",
        *,
        signed_url: str | None = None,
        auth_token: str | None = None,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
        timeout: float = webhooks.TIMEOUT_SECONDS,
        **overrides: str | Sequence[str] | None,
    ) -> webhooks.WebhookAnswer:
        """Sends one recordingStatusCallback, once, and returns what came back.

        Raises KeyError when the recording is unknown, OSError or http.client.HTTPException when no answer came.

        Args:
            url: The receiver. Its fragment (`#rc=5`) is neither sent nor signed.
            recording_sid: Whose webhook it is.
            status: RecordingStatus; the recording's own does not change.
            signed_url: The URL to sign, when the receiver is known to Twilio by another: a proxy stands in front.
            auth_token: A wrong token to sign with, instead of the account's.
            method: POST or GET.
            headers: More headers, or others; None leaves one out, so `{"X-Twilio-Signature": None}` sends unsigned.
            timeout: Seconds for the connection and for each read.
            overrides: Parameters by Twilio's names, added or instead; None leaves one out, a list repeats it.
        """
        recording = self._recordings.get(recording_sid)
        parameters = webhooks.status_callback(recording, status, self.url)
        delivery = webhooks.Delivery(url, signed_url, method, headers, timeout)
        return delivery.send(webhooks.overridden(parameters, overrides), self._signing_token(recording, auth_token))

    def send_record_action(
        self,
        url: str,
        recording_sid: str,
        *,
        digits: str = "hangup",
        signed_url: str | None = None,
        auth_token: str | None = None,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
        timeout: float = webhooks.TIMEOUT_SECONDS,
        **overrides: str | Sequence[str] | None,
    ) -> webhooks.WebhookAnswer:
        """Sends the action of a <Record> verb: no RecordingStatus, `digits` is what ended it. Else as send_webhook."""
        recording = self._recordings.get(recording_sid)
        parameters = webhooks.record_action(recording, digits, self.url)
        delivery = webhooks.Delivery(url, signed_url, method, headers, timeout)
        return delivery.send(webhooks.overridden(parameters, overrides), self._signing_token(recording, auth_token))

    def _signing_token(self, recording: Recording, other: str | None) -> str:
        return self._accounts.get(recording.account_sid).auth_token if other is None else other


def serve(
    host: str,
    port: int,
    *,
    account_sid: str,
    auth_token: str,
    api_key: str | None = None,
    api_secret: str | None = None,
    recordings: Iterable[Recording] = (),
    invent_recordings: bool = True,
    ready: Callable[[TwilioStandIn], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Runs a stand-in until `stop` is set, or for ever; KeyboardInterrupt ends it in good order and is raised on.

    Args:
        host: The address listened on.
        port: 0 takes any that is free.
        account_sid: The account.
        auth_token: Its token.
        api_key: An API key of it.
        api_secret: The key's secret.
        recordings: What it has from the start.
        invent_recordings: Makes up a recording for every well-formed SID, so that any can be asked for.
        ready: Called with the stand-in once it answers: to say its URL, or to send webhooks.
        stop: Ends it.
    """
    stand_in = TwilioStandIn(
        account_sid=account_sid,
        auth_token=auth_token,
        api_key=api_key,
        api_secret=api_secret,
        host=host,
        port=port,
        invent_recordings=invent_recordings,
    )
    for recording in recordings:
        stand_in.add_recording(recording)
    with stand_in:
        if ready is not None:
            ready(stand_in)
        (stop or threading.Event()).wait()


def _invented(recording_sid: str) -> Recording:
    """A call whose length and voices follow from its SID."""
    shortest, longest = INVENTED_SECONDS
    return Recording(recording_sid=recording_sid, duration=shortest + int(recording_sid[2:], 16) % (longest - shortest))

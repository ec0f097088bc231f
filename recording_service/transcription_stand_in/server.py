"""The stand-in itself."""

import ipaddress
import json
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from recording_service.transcription_stand_in.answers import Answer
from recording_service.transcription_stand_in.asked import Asked
from recording_service.transcription_stand_in.dialects import Dialect, Said, verbose_json
from recording_service.transcription_stand_in.handler import Endpoint, Handler
from recording_service.transcription_stand_in.hearing import stretches_of
from recording_service.transcription_stand_in.listener import Listener
from recording_service.transcription_stand_in.request_log import DEADLINE_SECONDS, Request, RequestLog
from recording_service.transcription_stand_in.saying import Sayings
from recording_service.transcription_stand_in.script import Script

#: Where the API begins, and what follows.
BASE_PATH = "/v1"
PATH = "/audio/transcriptions"


class TranscriptionStandIn:
    """A transcription server of one's own, in this process: a context manager, or `start` and `stop`.

    Methods may be called from any thread, also while requests are under way.

    Args:
        api_key: The key that every request must bring; empty: none is asked for.
        models: What it has.
        dialect: Whose answers it gives.
        language: What is spoken, as a code, where the request does not say.
        path: What follows `url`; whisper.cpp has `/inference` there.
        host: The address listened on, which is on loopback: ValueError for another.
        port: 0 takes any that is free.
    """

    def __init__(
        self,
        *,
        api_key: str = "",
        models: Sequence[str] = ("whisper-1",),
        dialect: Dialect = Dialect.OPENAI,
        language: str = "en",
        path: str = PATH,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the stand-in listens on loopback only")
        self._host = host
        self._port = port
        self._dialect = dialect
        self._language = language
        self._sayings = Sayings()
        self._script = Script()
        self._log = RequestLog()
        self._endpoint = Endpoint(
            path=BASE_PATH + path,
            api_key=api_key,
            models=frozenset(models),
            next_answer=self._script.next,
            transcript=self._transcript,
            log=self._log,
        )
        self._listener: Listener | None = None

    def start(self) -> Self:
        """Listens, and answers from then on. Raises OSError when the port is taken."""
        if self._listener is not None:
            raise RuntimeError("the stand-in runs already")
        self._listener = Listener((self._host, self._port), partial(Handler, self._endpoint))
        self._listener.start()
        return self

    def stop(self) -> None:
        """Cuts what is under way, stalled answers too, and ends all threads. Idempotent.

        Raises what went wrong inside.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            self._port = listener.port
            listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What to use for https://api.openai.com/v1; after a stop, what it was."""
        port = self._port if self._listener is None else self._listener.port
        return f"http://{self._host}:{port}{BASE_PATH}"

    # What is said

    def say(self, *texts: str) -> None:
        """Hears these in the next stretches of sound, one in each; after the last, sentences of its own again."""
        self._sayings.add(texts)

    def say_at(self, frequency_hz: float, text: str) -> None:
        """Hears this in every stretch of sound of that pitch, within 3 percent; it goes before what `say` has set."""
        self._sayings.add_at(frequency_hz, text)

    # Misbehaviour

    def behave(self, answer: Answer, *more: Answer, times: int | None = 1) -> None:
        """Sets what the next requests are answered; after the last all is well again.

        Answers follow those set before and not used yet. The key and the form are checked first: a request that fails
        there uses up no answer.

        Args:
            answer: The first answer.
            more: The answers after it.
            times: How often the whole sequence is gone through; FOREVER goes through it once and stays with its last.
        """
        self._script.add((answer, *more), times)

    def behave_well(self) -> None:
        """Forgets all misbehaviour. Idempotent."""
        self._script.clear()

    # Requests

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first."""
        return self._log.snapshot()

    def wait_for_requests(self, count: int = 1, *, timeout: float = DEADLINE_SECONDS) -> list[Request]:
        """Blocks until that many requests have come and returns them, oldest first; TimeoutError if they don't."""
        return self._log.wait_for(count, timeout)

    def _transcript(self, asked: Asked, language: str | None) -> bytes:
        stretches = stretches_of(asked.sound)
        said = [Said(each.start, each.end, self._sayings.text_of(each)) for each in stretches]
        document = verbose_json(
            self._dialect,
            said,
            language=language or asked.language or self._language,
            seconds=asked.sound.seconds,
            wants_words=asked.wants_words,
        )
        return json.dumps(document).encode()

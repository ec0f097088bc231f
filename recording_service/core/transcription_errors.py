"""Every error of the transcribing of clips.

TranscriptionError
├── TranscriptionRateLimited       the server asked for fewer requests
├── TranscriptionUnavailable       it could not be reached, was slow, or broke
├── TranscriptionKeyRejected       it does not accept the key
├── TranscriptionRefused           it does not accept what is asked for
├── TranscriptionAnswerInvalid     what it answered is no transcript
└── TranscriptionWrongLanguage     it heard another language than the one that is configured

Messages are for the operator: they name no address and no key, and quote nothing of what the server answered.
"""


class TranscriptionError(Exception):
    """The base of what may go wrong between this service and what transcribes for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TranscriptionRateLimited(TranscriptionError):
    """Raised for a 429, and for a 503 that says when to come back. `retry_after_seconds` is what was asked for."""

    def __init__(self, retry_after_seconds: float | None) -> None:
        super().__init__("the transcription server asked for fewer requests")
        self.retry_after_seconds = retry_after_seconds


class TranscriptionUnavailable(TranscriptionError):
    """Raised when no whole answer came: no connection, a time-out, a 5xx, a body that was cut off. Ask again later."""


class TranscriptionKeyRejected(TranscriptionError):
    """Raised for a 401 or 403: about the key, and so about every clip. Until it is mended, asking again is in vain."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the transcription server refused the API key ({status}): check the key, and what it may do")
        self.status = status


class TranscriptionRefused(TranscriptionError):
    """Raised for any other 4xx and for a redirect: asking again in the same way would not help.

    The model may be unknown there, the address may be another service's, or the clip too large. `status` is HTTP's.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TranscriptionAnswerInvalid(TranscriptionError):
    """Raised when a server says that all is well and sends what is no transcript."""


class TranscriptionWrongLanguage(TranscriptionError):
    """Raised when a language is configured and the server says that it heard another one.

    `wanted` and `got` are codes of ISO 639; `got` is empty where the server named a language that is not known here.
    """

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__(f"the server transcribed {got or 'an unknown language'}, and {wanted} is configured")
        self.wanted = wanted
        self.got = got

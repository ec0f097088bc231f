"""Requests as they should be, and almost."""

from collections.abc import Sequence
from typing import Any

import requests

from tests.support.tones import wav_of

API_KEY = "sk-the-key-of-the-account"

#: Two tones with silence around them.
CLIP = wav_of((0, 0.5), (440, 1), (0, 0.5), (880, 0.5), (0, 0.25))

#: Seconds a request may take.
TIMEOUT_SECONDS = 10.0

Field = tuple[str, str]

FIELDS: tuple[Field, ...] = (("model", "whisper-1"), ("response_format", "verbose_json"))
WORDS: tuple[Field, ...] = (("timestamp_granularities[]", "segment"), ("timestamp_granularities[]", "word"))


def post(
    url: str,
    fields: Sequence[Field] = FIELDS,
    *,
    wav: bytes = CLIP,
    files: Any = None,
    path: str = "/audio/transcriptions",
    key: str = API_KEY,
    **options: Any,
) -> requests.Response:
    """Sends a form; `files` instead of one good file."""
    return requests.post(
        url + path,
        data=list(fields),
        files=[("file", ("a.wav", wav, "audio/wav"))] if files is None else files,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        **options,
    )


def post_body(url: str, body: bytes, content_type: str) -> requests.Response:
    """Sends any bytes."""
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": content_type}
    return requests.post(url + "/audio/transcriptions", data=body, headers=headers, timeout=TIMEOUT_SECONDS)

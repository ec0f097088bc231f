"""What a form asks for, and what is wrong with it (OpenAI's API reference, "Create transcription")."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from recording_service.transcription_stand_in.answers import Answer, model_not_found, refused
from recording_service.transcription_stand_in.form import Part
from recording_service.transcription_stand_in.hearing import Sound, UnreadableSound, sound_of

GRANULARITIES = "timestamp_granularities[]"

#: The fields that are known, and what their values look like.
FIELDS: Mapping[str, re.Pattern[str]] = {
    "model": re.compile(r"[!-~]+"),
    "response_format": re.compile(r"verbose_json"),
    "temperature": re.compile(r"0(\.\d+)?|1(\.0+)?"),
    "language": re.compile(r"[a-z]{2,3}"),
    "prompt": re.compile(r".*", re.DOTALL),
    GRANULARITIES: re.compile(r"segment|word"),
}

#: Those that there must be.
REQUIRED = ("model", "response_format")


class Refusal(Exception):
    """Raised for what OpenAI would refuse. `answer` is what it would say."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


@dataclass(frozen=True)
class Asked:
    """A request that is in order."""

    fields: Mapping[str, Sequence[str]]
    file_name: str
    wav: bytes = field(repr=False)
    sound: Sound = field(repr=False)

    @property
    def language(self) -> str | None:
        """What is said to be spoken, if that is said."""
        return self.fields.get("language", [None])[0]

    @property
    def wants_words(self) -> bool:
        """Whether the times of words are asked for."""
        return "word" in self.fields.get(GRANULARITIES, ())


def asked(parts: Sequence[Part], models: Collection[str]) -> Asked:
    """What a form asks for. Raises Refusal."""
    fields = _fields([part for part in parts if part.name != "file"])
    files = [part for part in parts if part.name == "file"]
    if len(files) != 1:
        raise _refusal("there must be exactly one file", "file")
    (file,) = files
    if not file.file_name or not file.file_name.endswith(".wav") or file.content_type != "audio/wav":
        raise _refusal("the file must have a name that ends with .wav, and be audio/wav", "file")
    try:
        sound = sound_of(file.data)
    except UnreadableSound as exc:
        raise _refusal(str(exc), "file") from exc
    if fields["model"][0] not in models:
        raise Refusal("unknown model", model_not_found())
    return Asked(fields, file.file_name, file.data, sound)


def _fields(parts: Sequence[Part]) -> Mapping[str, Sequence[str]]:
    fields: dict[str, list[str]] = {}
    for part in parts:
        form = FIELDS.get(part.name)
        if form is None:
            raise _refusal(f"unknown field {part.name}", part.name)
        if part.file_name is not None or part.content_type is not None:
            raise _refusal("a field is no file, and has no type", part.name)
        value = part.data.decode("utf-8", "replace")
        if not form.fullmatch(value) or value in fields.get(part.name, ()):
            raise _refusal(f"not a value of {part.name}", part.name)
        fields.setdefault(part.name, []).append(value)
    for name, values in fields.items():
        if len(values) > 1 and name != GRANULARITIES:
            raise _refusal(f"more than one {name}", name)
    for name in REQUIRED:
        if name not in fields:
            raise _refusal(f"there is no {name}", name)
    return fields


def _refusal(message: str, param: str) -> Refusal:
    return Refusal(message, refused(message, param))

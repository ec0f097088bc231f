"""How servers name languages: by a code of ISO 639-1, or by the English name that Whisper has for it.

OpenAI and whisper.cpp answer "english" where they were asked for "en"; others answer "en".
"""

import re
from typing import Final

#: Every language Whisper knows: its code, and its name.
_NAMES: Final = """
en english zh chinese de german es spanish ru russian ko korean fr french ja japanese pt portuguese tr turkish pl polish
ca catalan nl dutch ar arabic sv swedish it italian id indonesian hi hindi fi finnish vi vietnamese he hebrew
uk ukrainian el greek ms malay cs czech ro romanian da danish hu hungarian ta tamil no norwegian th thai ur urdu
hr croatian bg bulgarian lt lithuanian la latin mi maori ml malayalam cy welsh sk slovak te telugu fa persian lv latvian
bn bengali sr serbian az azerbaijani sl slovenian kn kannada et estonian mk macedonian br breton eu basque is icelandic
hy armenian ne nepali mn mongolian bs bosnian kk kazakh sq albanian sw swahili gl galician mr marathi pa punjabi
si sinhala km khmer sn shona yo yoruba so somali af afrikaans oc occitan ka georgian be belarusian tg tajik sd sindhi
gu gujarati am amharic yi yiddish lo lao uz uzbek fo faroese ht haitian_creole ps pashto tk turkmen nn nynorsk
mt maltese sa sanskrit lb luxembourgish my myanmar bo tibetan tl tagalog mg malagasy as assamese tt tatar haw hawaiian
ln lingala ha hausa ba bashkir jv javanese su sundanese yue cantonese
"""

#: Other names of the same: Whisper's own, and codes that have been replaced.
_ALIASES: Final = """
my burmese ca valencian nl flemish ht haitian lb letzeburgesch ps pushto pa panjabi ro moldavian ro moldovan
si sinhalese es castilian zh mandarin jv jw he iw id in yi ji no nb
"""


def _by_name(table: str) -> dict[str, str]:
    words = table.split()
    return {name.replace("_", " "): code for code, name in zip(words[::2], words[1::2], strict=True)}


_CODES: Final = {**_by_name(_NAMES), **_by_name(_ALIASES)}

#: The codes by which a language can be asked for: old ones too, for servers that know no other (Whisper's `jw`).
CODES: Final = frozenset(_CODES.values()) | {name for name in _CODES if len(name) == 2}

#: A code, perhaps followed by a country or a script (BCP 47); only the language counts.
_TAG: Final = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]+)*")


def code_of(name: str) -> str:
    """The code of a language that is named by its code or by its English name; empty if it is no such name."""
    plain = name.strip().lower()
    if plain in _CODES:
        return _CODES[plain]
    tag = _TAG.fullmatch(plain)
    return _CODES.get(tag[1], tag[1]) if tag else ""

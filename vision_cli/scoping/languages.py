"""German, French, Spanish and Italian words for what is asked, put into English; all other words pass through."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("languages.txt")
ENGLISH = re.compile(
    r"(?<!\w)(?:the|an?|and|or|of|in|on|to|for|with|is|are|be|we|our|us|i|my|its?|this|that|these|from|by|at|as|not?|"
    r"do|does|which|what|how|where|want|need|each|every|has|have|there|can|should|must|if|whether|so|but|please)(?!\w)"
)
"""Words that hardly any English sentence lacks."""
SHARED = re.compile(
    r"an?|i|in|me|no|on|per|to|was|un|la|el|are|as|see|area|box(?:es)?|come|data|date|die|dove|fond|man|pixels?|surfaces?|"
    r"texts?|zones?|can[et]|cast|cases?|cats?|chats?|class\w*|positions?|persons?|plants?|masks?|cover|labels?|age|"
    r"silhouettes?|rectangles?|masque|tickets?|animals?|sensors?|e-mails|images?|photos?|video|sons?|sol|traced?|marke?d?|"
    r"camera|angles?|autos?|serve|si"
)
"""Words of the tables that English has as well: they tell nothing of the language."""


def _plain(text: str) -> str:
    """Return text in small letters without accents."""
    parts = unicodedata.normalize("NFD", text.replace("\u2019", "'").casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


@cache
def tables() -> Mapping[str, Mapping[str, str]]:
    """Return English words by foreign ones, by language; a star at the end stands for any ending."""
    found: dict[str, dict[str, str]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            said, english = line.split(" = ")
            found[list(found)[-1]][said] = english
    return found


def language(text: str) -> str | None:
    """Return the language of a text if it is one of the four, and not English."""
    plain = _plain(text)
    hits = {name: sum(not SHARED.fullmatch(said) for said in _pattern(name).findall(plain)) for name in tables()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] > max(1, len(ENGLISH.findall(plain))) else None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    ordered = sorted(tables()[name], key=len, reverse=True)
    parts = (rf"{re.escape(each[:-1])}\w*" if each.endswith("*") else re.escape(each) for each in ordered)
    bounded = (part if part.endswith("'") else rf"{part}(?!\w)" for part in parts)
    return re.compile(rf"(?<!\w)(?:{'|'.join(bounded)})")


def english(text: str) -> str:
    """Put what a text asks into English; English texts and those of other languages are left as they are."""
    name = language(text)
    return text if name is None else _pattern(name).sub(lambda match: _meaning(name, match[0]), _plain(text))


def _meaning(name: str, said: str) -> str:
    table = tables()[name]
    if said in table:
        return f"{table[said]} " if said.endswith("'") else table[said]
    stems = (said[:length] for length in range(len(said), 0, -1))
    return next(table[f"{stem}*"] for stem in stems if f"{stem}*" in table)

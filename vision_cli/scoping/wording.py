r"""What a description says by its form: words that ask for a place, a number, an outline.

A concept is a set of turns of speech. Those that the user waives ("no need to count", "without boxes") are concepts
that are denied: they are taken out of the text and count as the opposite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vision_cli.scoping import languages, vocabulary

FILE = Path(__file__).with_name("concepts.txt")


def _sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and line[1:-1].isalpha():
            found[line[1:-1]] = []
        elif line and not line.startswith("#"):
            found[list(found)[-1]].append(line)
    return found


@cache
def concepts() -> Mapping[str, re.Pattern[str]]:
    """Return the expression of each concept."""
    found = _sections()
    lists = {name: f"(?:{'|'.join(found.pop(name))})" for name in ("units", "measures")}
    joined = {name: "|".join(lines) for name, lines in found.items()}
    for name, words in lists.items():
        joined = {concept: text.replace(f"{{{name}}}", words) for concept, text in joined.items()}
    return {concept: re.compile(text) for concept, text in joined.items()}


_WAIVED = re.compile(
    r"\b(?:(?:there is |there's |we have |i have )?no (?:need|reason)(?: to| for| of)?|"
    r"(?:i |we |it |you |they )?(?:do not|don't|does not|doesn't|need not|needn't|must not|should not|won't)"
    r"(?: (?:need|care|want|have|matter))?(?: to| about| for| if)?|"
    r"not (?:interested in|necessary to|needed to|important|to|(?=what kind|which|how many|where|who|the number))|"
    r"never mind|regardless of|irrespective of|no matter|"
    r"(?:nobody|no one|none of us) (?:wants|needs|asks|has|cares|will)(?: to| for| about)?|"
    r"instead of|rather than|not (?:only|just)|nor)\b"
    r"(?P<said>[^,.;:()]{0,60}?)(?=$|[,.;:()]|\b(?:but|just|only|and|so)\b)"
)
_WITHOUT = re.compile(
    r"\b(?:without|no|not)(?: the| their| its| any| a| exact| single)* "
    r"(?P<said>(?:bounding )?(?:box(?:es)?|positions?|locations?|coordinates|outlines?|contours?|masks?|count(?:s|"
    r"ing)?|"
    r"numbers?|separate objects|single objects|objects|pixels?|pixel-exact|reading(?: \w+)?|telling .{0,30}apart|"
    r"knowing .{0,30}|saying .{0,20})(?: needed| required| wanted)?)\b"
)
_IRRELEVANT = re.compile(
    r"(?P<said>\b[^,.;:]{0,40}?)\b(?:is|are) "
    r"(?:not (?:needed|important|relevant|required|necessary|of interest)|irrelevant|unimportant|of no interest|"
    r"a luxury)\b"
)
_MATTER = re.compile(r"(?P<said>\b[^,.;:]{0,40}?)\b(?:does not|doesn't|do not|don't) matter\b")
_BOXES = re.compile(r"^(?:bounding )?box(?:es)?\b")
"""Nothing else is meant where boxes are waived; elsewhere they may be of cardboard."""
_INTO = re.compile(
    r"\b(?:in)?to (?:an? |our |the |my |their )(?:\w+ )?"
    r"(?:database|tables?|spreadsheet|system|logs?|records?|files?|excel)\b"
)
"""Where an answer is kept says nothing of what it is."""
_FORMS = ("count", "where", "outline", "pixel", "read", "each", "measure", "several", "area", "kind")
_SPACES = re.compile(r"\s+")
_PLAIN = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "`": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-"}
)


@dataclass(frozen=True, slots=True)
class Worded:
    """A description that was looked through.

    Attributes:
        text: in small letters and English, slips of the pen put right, without what is waived.
        concepts: that it speaks of.
        denied: that it waives.
        quotes: by concept, the words that say it.
    """

    text: str
    concepts: frozenset[str]
    denied: frozenset[str]
    quotes: Mapping[str, str]


def worded(description: str) -> Worded:
    """Look through a description."""
    text = languages.english(_SPACES.sub(" ", description.translate(_PLAIN).casefold()).strip())
    text = vocabulary.spelled(text)
    text = _INTO.sub(" ", text)
    denied: set[str] = set()
    for pattern in (_MATTER, _IRRELEVANT, _WITHOUT, _WAIVED):
        text = pattern.sub(lambda match: _taken(match, denied), text)
    text = _SPACES.sub(" ", text).strip(" ,;")
    found = {name: match[0].strip() for name, pattern in concepts().items() if (match := pattern.search(text))}
    if "count" in found and found.get("unit", "").startswith(("how many", "number of")):
        del found["count"]  # how many kilograms is a quantity
    return Worded(text, frozenset(found), frozenset(denied), found)


def _taken(match: re.Match[str], denied: set[str]) -> str:
    """Take a waived part out if it speaks of the form of the answer; else leave it: 'people without helmets'."""
    forms = {name for name in _FORMS if concepts()[name].search(match["said"])}
    if _BOXES.search(match["said"]):
        forms.add("where")
    denied |= forms
    return " " if forms else match[0]

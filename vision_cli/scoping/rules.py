"""Rules: turns of speech that settle more than a classifier of single words can know, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vision_cli.scoping.outcomes import COUNT, NOT_VISION, TEXT, UNCLEAR
from vision_cli.scoping.wording import Worded


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and what it speaks for.

    Attributes:
        holds: of a description.
        speaks: for or against outcomes, and how strongly: the order of the reasons. What a rule is worth beside the
            words, the classifier learns.
        reason: that the user is told; `{words}` are the words of the concept `quotes`.
        quotes: concept whose words are shown.
    """

    holds: Callable[[Worded], bool]
    speaks: Mapping[str, float]
    reason: str
    quotes: str = ""


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that holds.

    Attributes:
        speaks: as in the rule.
        reason: with the user's words.
    """

    speaks: Mapping[str, float]
    reason: str


def _has(*names: str, no: Sequence[str] = ()) -> Callable[[Worded], bool]:
    return lambda said: set(names) <= said.concepts and not set(no) & said.concepts


def _denied(name: str) -> Callable[[Worded], bool]:
    return lambda said: name in said.denied


def _says(pattern: str) -> Callable[[Worded], bool]:
    compiled = re.compile(pattern)
    return lambda said: compiled.search(said.text) is not None


def _no_photos(said: Worded) -> bool:
    return bool(said.concepts & {"table", "sound", "prose", "future"}) and "photo" not in said.concepts


def _says_little(said: Worded) -> bool:
    words = len(said.text.split())
    return words < 2 or (words < 3 and not said.concepts - {"photo", "each", "either"})


_NAMED = {
    "panoptic": r"\bpanoptic",
    "instance": r"\binstance (?:segment|mask)",
    "semantic": r"\bsemantic (?:segment|mask)",
    "multilabel": r"\bmulti-?label|\bmulti-?tag",
    "detect": r"\bobject detect|\bbounding box|\bdetector\b",
    "classify": r"\bimage classif|\bclassifier\b|\bclassify\b",
    "regress": r"\bregress",
    TEXT: r"\bocr\b|\btext recognition\b|\btranscri|\bhandwriting recog",
    COUNT: r"\bobject counting\b|\bcounting\b",
}
_READS = (
    r"\bread(?:s|ing)?\b(?! (?:the |an? |our |these )?"
    r"(?:x-?rays?|scans?|images?|photos?|slides?|faces?|emotions?|mood))|"
    r"\bocr\b|\btranscri|\bdigiti[sz]e\b|\bwhat (?:does|do|is) .{1,40} (?:say|"
    r"says|written|printed)\b|"
    r"\b(?:as|to|into) (?:searchable |plain )?text\b|\bextract (?:the )?(?:text|names?|dates?|totals?|numbers?|"
    r"values?|fields?|items?)\b"
)
_NOT_SEEN = {
    NOT_VISION: 4.0,
    **dict.fromkeys((COUNT, "regress", "detect", "classify"), -1.5),
    **dict.fromkeys((TEXT, "semantic"), -2.0),
}
_FORMS = frozenset(
    {
        *("count", "unit", "scale", "several", "where", "outline", "each", "whether", "kind", "hide", "edit"),
        *("area", "pixel", "whole", "touching", "inscribed"),
    }
)
_TITLES = {
    "panoptic": "panoptic segmentation",
    "instance": "instance segmentation",
    "semantic": "semantic segmentation",
    "multilabel": "multi-label classification",
    "detect": "object detection",
    "classify": "classification",
    "regress": "regression",
    TEXT: "text recognition",
    COUNT: "counting",
}

RULES: tuple[Rule, ...] = (
    *(
        Rule(_says(pattern), {task: 4.0}, f"{_TITLES[task]} is named in so many words")
        for task, pattern in _NAMED.items()
    ),
    Rule(_no_photos, _NOT_SEEN, "it speaks of tables, sound, text or the future, and of no photos"),
    Rule(_has("photo"), {NOT_VISION: -2.0}, "it speaks of photos"),
    Rule(
        _says(r"\b(?:no|without(?: any)?) (?:photos?|images?|pictures?|cameras?|video)\b"),
        {NOT_VISION: 4.0},
        "there are no photos",
    ),
    Rule(
        _has("count", no=("unit",)),
        {COUNT: 3.0, "regress": -0.5},
        "'{words}' asks for a number of things; counted boxes can be checked, a bare number cannot",
        "count",
    ),
    Rule(
        _has("unit"),
        {"regress": 2.0},
        "'{words}' is a unit: the answer is a quantity on a scale",
        "unit",
    ),
    Rule(_has("scale"), {"regress": 2.5}, "'{words}': the answer lies on a scale", "scale"),
    Rule(_says(r"\bhow (?:old|tall|heavy|far|deep|long|wide|thick|fast|hot)\b"), {"regress": 2.0}, "it asks how much"),
    Rule(_says(_READS), {TEXT: 3.0}, "letters or digits are to be read"),
    Rule(_has("several"), {"multilabel": 2.0, "classify": -1.0}, "'{words}': more than one may be true", "several"),
    Rule(
        _has("whole", "each"),
        {"panoptic": 2.0},
        "both whole areas ('{words}') and single things are wanted",
        "whole",
    ),
    Rule(_has("outline", "each"), {"instance": 1.5}, "'{words}' of things one by one: a box is not enough", "outline"),
    Rule(_has("outline", "touching"), {"instance": 1.0}, "things that touch are to be kept apart"),
    Rule(
        _says(
            r"\b(?:share|percentage|per ?cent|proportion|fraction|how much) of (?:the |a |an |"
            r"each )?[\w ]{0,25}?\b(?:surface|area|floor|leaf|ground|roof|image|pixels?|skin|canopy|wall|lung|is|"
            r"are)\b"
        ),
        {"semantic": 1.5},
        "a share of a surface is counted in pixels",
    ),
    Rule(_says(r"\bpixels?\b"), {"semantic": 1.0, "panoptic": 0.5, "instance": 0.5}, "it speaks of pixels"),
    Rule(_has("where"), {"detect": 1.5, "classify": -1.0}, "'{words}': places in the photo are asked for", "where"),
    Rule(
        _has("whether", no=("where", "count", "several", "outline")),
        {"classify": 2.0, "detect": -1.0},
        "yes or no, this or that: one verdict a photo answers it",
    ),
    Rule(_denied("where"), {"classify": 0.8, "multilabel": 0.8, "detect": -3.0}, "it does not matter where"),
    Rule(_denied("count"), {COUNT: -4.0}, "no number is asked for"),
    Rule(_denied("outline"), {"instance": -2.5, "detect": 1.0}, "no outlines are asked for"),
    Rule(_denied("each"), {"instance": -2.5, "panoptic": -2.0, "semantic": 1.5}, "objects need not be told apart"),
    Rule(_denied("read"), {TEXT: -4.0}, "nothing is to be read"),
    Rule(_denied("pixel"), {"semantic": -2.0, "panoptic": -2.0}, "no pixels are asked for"),
    Rule(_denied("several"), {"multilabel": -2.0, "classify": 1.0}, "one class a photo is enough"),
    Rule(
        _has("hide", no=("edit",)), {"detect": 1.5, TEXT: -2.0}, "what is to be hidden or cut off must be found first"
    ),
    Rule(_has("edit", no=("each",)), {"semantic": 2.0}, "what is to be replaced is a region of pixels"),
    Rule(
        lambda said: bool(_FORMS & said.concepts) and len(said.text.split()) > 2,
        {UNCLEAR: -1.5},
        "it says what kind of answer is wanted",
    ),
    Rule(
        lambda said: (
            said.text.split()[-1:] in (["recognition"], ["identification"], ["classification"])
            and len(said.text.split()) > 1
        ),
        {"classify": 1.5, UNCLEAR: -1.0},
        "it asks for what it is",
    ),
    Rule(
        _has("vague", no=("count", "unit", "whether", "outline", "pixel")),
        {UNCLEAR: 1.5},
        "it says little of the answer",
    ),
    Rule(_says_little, {UNCLEAR: 4.0}, "it says little"),
)


def fired(said: Worded) -> list[Fired]:
    """Return the rules that hold."""
    return [
        Fired(rule.speaks, rule.reason.format(words=said.quotes.get(rule.quotes, "")))
        for rule in RULES
        if rule.holds(said)
    ]

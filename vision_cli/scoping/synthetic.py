"""Whether synthetic photos can serve, and when they cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IMPOSSIBLE = {
    "regress": "the made photos would need the true value of what they show, and nobody knows it: "
    "age, weight and price cannot be pasted",
}
_CANNOT = (
    (
        r"\bx-?rays?\b|\bct\b|\bmri\b|\bultrasound|\bmicroscop\w*|\bmicrograph\w*|\bslides?\b|\bhistolog\w*|"
        r"\bretina\w*|"
        r"\bfundus|\bcells?\b|\bnuclei\b|\btumou?rs?|\blesions?|\bmammogra\w*|\bendoscop\w*|\bscans? of the\b",
        "tissue and radiographs are no objects on a background: what tells ill from well is in the texture, which "
        "pasting destroys",
    ),
    (
        r"\bcracks?\b|\bscratch\w*|\bdents?\b|\brust\w*|\bcorro\w*|\bdamage\w*|\bdefect\w*|\bfault\w*|\bmould\b|"
        r"\bstains?\b|\bworn\b|"
        r"\bdiseas\w*|\brot(?:ten)?\b|\bwounds?\b|\bburn\w*|\bpotholes?\b",
        "damage and disease are part of a surface and never look twice alike: cut-outs repeat the few that you have",
    ),
    (
        r"\bripe\w*|\bhealthy\b|\bfresh\b|\bstyle\b|\bmood\b|\bseason\b|\bquality\b|\bbeaut\w*|\baesthetic|"
        r"\bbehaviou?r|\bfight|\bdrows\w*|\bpose\b|"
        r"\bweather\b|\bcloud\w*|\bsmoke\b|\bfire\b|\bflood\w*|\bsnow\w*|\bwater\b|\bsky\b",
        "states, weather and behaviour have no outline that could be cut out and pasted",
    ),
    (
        r"\bsatellite\b|\bland[- ](?:use|cover)\b|\bforest\b|\broads?\b(?! signs?)|\bfields?\b|\blanes?\b",
        "surfaces and land are backgrounds themselves: there is nothing to paste them on",
    ),
)
_SUITED = (
    (
        r"\blogos?\b|\btrade ?marks?\b|\bbrands?\b|\bstickers?\b|\bsigns?\b|\bemblems?\b|\bcrests?\b|\bsponsors?\b",
        "logos",
    ),
    (
        r"\bcards?\b|\bproducts?\b|\bpackag\w*|\bbottles?\b|\bcans?\b|\bbox(?:es)?\b|\bparcels?\b|\btoys?\b|"
        r"\btools?\b|\bscrews?\b|\bparts?\b|"
        r"\bpills?\b|\bcoins?\b|\bbricks?\b|\bcups?\b|\bplates?\b|\bkeys?\b|\bitems?\b|\bfruits?\b|\bapples?\b|"
        r"\bhot dogs?\b|\bpallets?\b",
        "paste",
    ),
)


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Whether synthetic photos can serve.

    Attributes:
        works: True, False, or None where it depends on the objects' look.
        why: one sentence.
        command: that makes them; None where they cannot serve.
    """

    works: bool | None
    why: str
    command: str | None


def judge(task: str, text: str) -> Synthetic:
    """Judge by task and description, in small letters."""
    if task in _IMPOSSIBLE:
        return Synthetic(False, f"{_IMPOSSIBLE[task]}.", None)
    for pattern, why in _CANNOT:
        if found := re.search(pattern, text):
            return Synthetic(False, f"'{found[0]}': {why}.", None)
    made = "classify" if task in ("classify", "multilabel") else "paste"
    for pattern, command in _SUITED:
        if found := re.search(pattern, text):
            name = made if made == "classify" else command
            why = f"'{found[0]}' has a look that can be cut out or drawn, and put into photos of backgrounds"
            return Synthetic(True, f"{why}; test on real photos only.", f"vision synth {name}")
    why = "it works where objects are stiff, look much the same each time and can be cut out of a few photos"
    return Synthetic(
        None, f"{why}; people, animals and plants seldom are. Test on real photos only.", f"vision synth {made}"
    )

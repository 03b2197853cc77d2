"""Checks: what is wrong with a data set, each with a figure, a reason and the rows concerned.

Importing this room imports no check. A check is a pure function `(request: Request) -> list[Finding]` in the module
that its card names; the function is called as the check, with `_` for `-`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vision_cli.core.catalogue import Card, Catalogue

if TYPE_CHECKING:
    from vision_cli.checks.finding import Finding
    from vision_cli.checks.request import Request

Severity = Literal["error", "warning", "info"]
Reads = Literal["labels", "files", "outlines", "photos", "embeddings"]
"""What a check looks at: the tables alone, names of files beside them, every corner of outlines, decoded photos,
or the embeddings of photos and of boxes."""


@dataclass(frozen=True, slots=True)
class Check(Card):
    """One line of the table of checks.

    Attributes:
        severity: `error`: training or judging on it goes wrong; `warning`: it may; `info`: worth knowing.
        reads: what it looks at.
        also_without: a check that reads photos has something to say without any, too.
    """

    severity: Severity = "warning"
    reads: Reads = "labels"
    also_without: bool = False

    @property
    def needs_photos(self) -> bool:
        """Tell whether nothing is left of it where no photo is there."""
        return self.reads in ("photos", "embeddings") and not self.also_without


def _check(module: str, summary: str, severity: Severity, reads: Reads = "labels") -> Check:
    return Check(f"vision_cli.checks.{module}", summary, severity=severity, reads=reads)


_LINES: dict[str, Check] = {
    "source-refused": _check("pairing", "Labels that the format's reader refuses", "error", "files"),
    "label-without-photo": _check("pairing", "Labels of photos that are not there", "error", "files"),
    "photo-without-label": _check("pairing", "Photos without any label", "warning", "files"),
    "photo-empty": _check("photos", "Photo files of 0 bytes", "error", "photos"),
    "photo-broken": _check("photos", "Photos that cannot be decoded", "error", "photos"),
    "photo-suffix": _check("photos", "Suffixes that name another format than the content is", "warning", "photos"),
    "photo-size": _check("photos", "Photos of another size than their labels say", "error", "photos"),
    "photo-orientation": _check("orientation", "EXIF orientation against labels with boxes", "error", "photos"),
    "photo-huge": _check("photos", "Photos of very many pixels", "warning", "photos"),
    "photo-tiny": _check("photos", "Photos of very few pixels", "warning", "photos"),
    "photo-aspect": _check("photos", "Photos that are very long or very tall", "warning", "photos"),
    "photo-blurred": _check("photos", "Blurred photos", "warning", "photos"),
    "photo-dark": _check("photos", "Photos that are dark all over", "warning", "photos"),
    "photo-overexposed": _check("photos", "Photos that are mostly pure white", "warning", "photos"),
    "photo-single-colour": _check("photos", "Photos of a single colour", "warning", "photos"),
    "box-without-area": _check("boxes", "Boxes of no width or no height", "error"),
    "box-outside": _check("boxes", "Boxes that have no pixel on their photo", "error"),
    "box-over-edge": _check("boxes", "Boxes that stick out of their photo", "warning"),
    "box-twice": _check("boxes", "The same box of the same class twice", "warning"),
    "box-tiny": _check("boxes", "Boxes of hardly a pixel at the training size", "warning"),
    "box-huge": _check("boxes", "Boxes that cover nearly all of their photo", "info"),
    "outline-broken": _check("outlines", "Outlines that are no polygon and no mask", "error", "outlines"),
    "outline-crosses-itself": _check("outlines", "Polygons that cross themselves", "warning", "outlines"),
    "outline-over-edge": _check("outlines", "Outlines that leave their photo", "warning", "outlines"),
    "outline-off-box": _check("outlines", "Outlines that disagree with their box", "warning", "outlines"),
    "class-outside": _check("classes", "Annotations without a class of the class map", "error"),
    "class-unused": _check("classes", "Classes without any annotation", "warning"),
    "class-rare": _check("classes", "Classes with very few photos", "warning"),
    "class-imbalance": _check("classes", "Classes that outnumber others by far", "info"),
    "class-missing-in-split": _check("classes", "Classes that one split has and another lacks", "warning"),
    "photo-twice": _check("duplicates", "The same photo twice, byte for byte", "warning", "photos"),
    "photo-alike": _check("duplicates", "Photos that are nearly the same", "info", "photos"),
    "photo-twice-labels-differ": _check("duplicates", "The same photo with other labels", "error", "photos"),
    "leak-same": _check("leakage", "The same photo on both sides of a split", "error", "photos"),
    "leak-alike": _check("leakage", "Nearly the same photo on both sides of a split", "error", "photos"),
    "leak-group": _check("leakage", "A group, video or sequence on both sides of a split", "error"),
    "leak-sequence": _check("leakage", "Neighbouring frames or a burst on both sides of a split", "warning", "photos"),
    "spread-box-size": _check("spreads", "Which sizes of objects there are", "info"),
    "spread-box-position": _check("spreads", "Where in their photos objects are", "info"),
    "spread-brightness": _check("spreads", "How bright photos are", "info", "photos"),
    "spread-colour": _check("spreads", "Which colours photos have", "info", "photos"),
    "spread-time": _check("spreads", "At which hours and in which months photos were taken", "info"),
    "spread-place": _check("spreads", "In how many places photos were taken", "info"),
    "shift-properties": Check(
        "vision_cli.checks.shift",
        "Properties in which splits differ from train",
        severity="warning",
        reads="photos",
        also_without=True,
    ),
    "shift-looks": _check("shift", "Splits whose photos look different from train's", "warning", "embeddings"),
    "label-doubtful": _check(
        "label_errors", "Labels that a classifier doubts, and the share of wrong ones", "warning", "embeddings"
    ),
    "photo-alike-embedding": _check(
        "looks", "Photos nearly the same to a network: crops, mirrored copies", "info", "embeddings"
    ),
    "leak-alike-embedding": _check("looks", "Such photos on both sides of a split", "warning", "embeddings"),
    "variety-looks": _check(
        "looks", "How varied photos are, and whether more of the same adds anything", "info", "embeddings"
    ),
    "variety-class": _check("looks", "Classes much more uniform than the others", "warning", "embeddings"),
    "photo-unusual": _check("looks", "Photos like no other of the set", "info", "embeddings"),
    "class-needs-photos": _check(
        "needs", "How many more photos a class needs, from a learning curve", "info", "embeddings"
    ),
}

CHECKS = Catalogue("check", _LINES, group="checks", listing="vision data check --list")
"""Every check by the name that `--only` and `--skip` take, in the order of the report."""


def card(name: str) -> Check:
    """Return one line of the table; a card of a third party counts as a warning that looks at labels.

    Raises:
        UsageError: the name is unknown.
    """
    found = CHECKS.card(name)
    return found if isinstance(found, Check) else Check(found.module, found.summary)


def chosen(only: Iterable[str] = (), skip: Iterable[str] = (), *, fast: bool = False, deep: bool = False) -> list[str]:
    """Return the names of the checks to run, in the table's order.

    Args:
        only: names to run; empty is all.
        skip: names to leave out.
        fast: leave out those that need photos decoded and, unless they are asked for by name, corners of outlines.
        deep: run those that need embeddings, too; without it only those that `only` names.

    Raises:
        UsageError: a name is unknown.
    """
    wanted, unwanted = list(only), set(skip)
    for name in (*wanted, *unwanted):
        card(name)
    names = [name for name in CHECKS if (not wanted or name in wanted) and name not in unwanted]
    slow = {"photos", "embeddings"} if wanted else {"photos", "outlines", "embeddings"}
    left = slow if fast else set() if deep or wanted else {"embeddings"}
    return [name for name in names if card(name).reads not in left]


def find(name: str, request: Request) -> list[Finding]:
    """Run one check."""
    function: Callable[[Request], list[Finding]] = getattr(CHECKS.load(name), name.replace("-", "_"))
    return function(request)

"""Which of the user's words are classes of public sets, and which published weights therefore know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli.models import known, published
from vision_cli.models.known import DATASETS
from vision_cli.scoping.targets import Target
from vision_cli.stages.scoping.shortlist import BEGINS_WITH

_MEDIA = frozenset(
    {
        *("camera", "cameras", "drone", "drones", "microscope", "microscopes"),
        *("satellite", "satellites", "video", "videos", "webcam", "webcams"),
    }
)
"""What photos are taken with: seldom what a description looks for; --classes names them all the same."""


@dataclass(frozen=True, slots=True)
class Class:
    """A word that a public set has as a class.

    Attributes:
        word: of the user.
        dataset: key of `known.DATASETS`.
        labels: names of the classes; several where the word is a kind of which they are.
        how: the word was found.
    """

    word: str
    dataset: str
    labels: tuple[str, ...]
    how: str

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        found = DATASETS[self.dataset]
        return {
            "word": self.word,
            "dataset": self.dataset,
            "classes": list(self.labels),
            "how": self.how,
            "labels": list(found.labels),
            "photos": found.n_photos,
            "licence": found.licence,
            "commercial": found.commercial,
            "url": found.url,
        }


def classes(description: str, words: Sequence[str]) -> tuple[Class, ...]:
    """Return the classes that words name, or those that a description names where no words are given."""
    found = known.known(words) if words else [each for each in known.known_in(description) if each.word not in _MEDIA]
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for each in found:
        grouped.setdefault((each.word, each.dataset, each.how), []).append(each.label)
    return tuple(Class(word, dataset, tuple(labels), how) for (word, dataset, how), labels in grouped.items())


def without_training(found: Sequence[Class], task: str, target: Target, *, permissive: bool) -> tuple[str, ...]:
    """Return sentences that name weights which answer some of the classes as they are."""
    answers = "detect" if task in {"count", "multilabel"} else task  # boxes tell how many and which there are, too
    if answers in BEGINS_WITH:
        return ()
    told = []
    for word in dict.fromkeys(each.word for each in found):
        sets = {each.dataset: each for each in found if each.word == word}
        rows = [row for row in published.rows(answers) if row.dataset in sets and (row.permissive or not permissive)]
        rows = [row for row in rows if row.size_bytes <= target.most_mb * 1e6 and target.file in row.exports] or rows
        if rows:
            best = max(rows, key=lambda row: (row.accuracy, row.name))
            labels = sets[best.dataset].labels
            named = f"'{labels[0]}'" if len(labels) == 1 else f"{len(labels)} kinds of it, such as '{labels[0]}'"
            told.append(f"'{word}': {best.name} knows {named} ({DATASETS[best.dataset].title}) without any training")
    return tuple(told)


def helping(found: Sequence[Class], task: str) -> tuple[str, ...]:
    """Return the public sets that hold photos of the words with labels of the task's kind, most photos first."""
    needs = {"detect": "boxes", "count": "boxes", "instance": "masks", "semantic": "pixels", "panoptic": "masks"}
    wanted = needs.get(task)
    sets = {each.dataset for each in found}
    fits = [DATASETS[name] for name in sets if wanted is None or wanted in DATASETS[name].labels]
    ordered = sorted(fits, key=lambda each: (-each.n_photos, each.name))
    return tuple(
        f"{each.title}: {each.n_photos:,} photos, {', '.join(each.labels)}; {each.licence}"
        f"{'' if each.commercial else ', not for commercial use'}"
        for each in ordered
    )

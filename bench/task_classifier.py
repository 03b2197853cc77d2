"""Learn the text classifier of `vision task suggest` and write its weights.

    python bench/task_classifier.py            # score the held-out domains, change nothing
    python bench/task_classifier.py --cross    # leave domains out in five groups, learn on the others
    python bench/task_classifier.py --write    # also write vision_cli/scoping/task_weights.npz

It learns from `bench/task_phrases.txt`, from wishes with gaps (`bench/task_templates.txt`) and from the descriptions of
tests/scoping/development.jsonl. Phrases of the domains in HELD_OUT are not learned from; they make the temperature,
with which the confidence is honest. PyTorch learns, numpy answers.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import task_templates

from vision_cli.scoping import classifier, deciding
from vision_cli.scoping.outcomes import NAMES
from vision_cli.scoping.wording import worded

PHRASES = Path(__file__).with_name("task_phrases.txt")
DEVELOPMENT = Path(__file__).parents[1] / "tests" / "scoping" / "development.jsonl"
HELD_OUT = ("home", "sport", "food", "construction")
_FILLINGS = 6
"""Times that each template is filled."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of the set.

    Attributes:
        task: that it asks for.
        domain: that it is from.
        text: as a person would write it.
    """

    task: str
    domain: str
    text: str

    @property
    def held_out(self) -> bool:
        """Tell whether nothing is learned from it."""
        return self.domain in HELD_OUT


def phrases(path: Path = PHRASES) -> list[Phrase]:
    """Read the set."""
    found: list[Phrase] = []
    task = domain = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            task, domain = line.strip("[]").split("/")
        elif line and not line.startswith("#"):
            found.append(Phrase(task, domain, line))
    return found


def development() -> list[Phrase]:
    """Read the descriptions that were seen, but those whose task is only that a pretrained model meets them."""
    rows = [json.loads(line) for line in DEVELOPMENT.read_text(encoding="utf-8").splitlines()]
    return [Phrase(row["task"], f"development {row['domain']}", row["text"]) for row in rows if row["task"] in NAMES]


def classes(tasks: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the classes of tasks, (N,)."""
    return np.array([NAMES.index(task) for task in tasks], dtype=np.int64)


def lessons(these: Sequence[Phrase], seed: int = 0) -> list[tuple[str, str]]:
    """Return what is learned: each phrase alone and in a context, and templates filled."""
    luck = random.Random(seed)  # noqa: S311
    told = [(each.task, each.text) for each in these]
    told += [(each.task, task_templates.in_context(each.text, luck)) for each in these]
    return told + task_templates.drawn(_FILLINGS, seed)


def learn(these: Sequence[Phrase], seed: int = 0) -> classifier.Weights:
    """Fit, round, and fit the temperature on what is held out."""
    import task_network

    learned = lessons([each for each in these if not each.held_out], seed)
    weights = task_network.fitted([worded(text) for _, text in learned], classes([task for task, _ in learned]), seed)
    out = [each for each in these if each.held_out]
    if not out:
        return weights
    return classifier.Weights(
        weights.own, weights.arrays, temperature(decided(weights, out), classes([each.task for each in out]))
    )


def temperature(logits: Floats, truth: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    """Return the temperature of least log loss (Guo et al. 2017, On calibration of modern neural networks)."""
    grid = np.geomspace(0.2, 5, 400)
    rows = np.arange(len(truth))
    losses = [-np.log(deciding.softmax(logits / each)[rows, truth] + 1e-12).mean() for each in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)


def decided(weights: classifier.Weights, these: Sequence[Phrase]) -> Floats:
    """Return the sums of the outcomes, (N, classes), before the temperature."""
    return np.stack([classifier.logits(worded(each.text), weights) for each in these])


def score(weights: classifier.Weights, these: Sequence[Phrase]) -> None:
    """Print how many are right, and how honest the confidence is."""
    report(deciding.softmax(decided(weights, these) / weights.temperature), these)


def report(shares: Floats, these: Sequence[Phrase]) -> None:
    """Print the same of shares (N, classes)."""
    best = shares.argmax(axis=1)
    right, sure = best == classes([each.task for each in these]), shares.max(axis=1)
    print(f"{len(these)} phrases: {right.mean():.3f} right, mean confidence {sure.mean():.3f}")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        here = (sure >= low) & (sure < high)
        if here.any():
            print(f"  confidence {low:.1f} to {min(high, 1):.1f}: {here.sum():4d}, right {right[here].mean():.2f}")
    for row in np.flatnonzero(~right).tolist():
        print(f"  {these[row].task:>16} -> {NAMES[best[row]]:<16} {sure[row]:.2f}  {these[row].text}")


def cross(these: Sequence[Phrase], groups: int = 5) -> None:
    """Leave each domain out once, in groups, and print how the phrases left out are decided."""
    domains = sorted({each.domain for each in these})
    random.Random(0).shuffle(domains)  # noqa: S311
    shares, left = [], []
    for group in range(groups):
        out = set(domains[group::groups])
        weights = learn([Phrase(e.task, "learned", e.text) for e in these if e.domain not in out])
        left += [each for each in these if each.domain in out]
        shares.append(deciding.softmax(decided(weights, [each for each in these if each.domain in out])))
    joined = np.concatenate(shares)
    for name, picked in (("phrases", False), ("descriptions", True)):
        rows = [row for row, each in enumerate(left) if (each.text in {e.text for e in development()}) == picked]
        print(name)
        report(joined[rows], [left[row] for row in rows])


def main() -> None:
    """Learn and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    parser.add_argument("--cross", action="store_true", help="cross-validate over domains")
    asked = parser.parse_args()
    these = [*phrases(), *development()]
    print(len(these), "phrases;", dict(Counter(each.task for each in these)))
    if asked.cross:
        cross(these)
    weights = learn(these)
    print("temperature", weights.temperature)
    score(weights, [each for each in these if each.held_out])
    if asked.write:
        classifier.write(weights, classifier.FILE)
        print("wrote", classifier.FILE.name, classifier.FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

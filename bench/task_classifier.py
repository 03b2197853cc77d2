"""Learn the text classifier of `vision task suggest` from `bench/task_phrases.txt`, and write its weights.

    python bench/task_classifier.py            # score the held-out domains, change nothing
    python bench/task_classifier.py --write    # also write vision_cli/scoping/task_weights.npz

The weights are of a multinomial logistic regression (scikit-learn, L2), rounded to 8 bits a class. They learn from all
domains but those in HELD_OUT, so that what is said about the held-out ones is about words that were never seen. The
temperature that makes its confidence honest is fitted on the held-out domains, rules included.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.scoping import classifier, deciding, features, rules
from vision_cli.scoping.outcomes import NAMES, UNCLEAR
from vision_cli.scoping.wording import worded

PHRASES = Path(__file__).with_name("task_phrases.txt")
HELD_OUT = ("home", "sport", "food", "construction")
CONTEXTS = (
    "We run a small company in the north.",
    "Right now a person does this by hand.",
    "It should work on a phone.",
    "We have about four thousand photos so far.",
    "The camera hangs above the belt and the light is always the same.",
    "Our customers send us pictures by e-mail.",
    "This should help our staff.",
    "It has to be fast.",
    "Speed does not matter much.",
    "I work for a mid-sized firm and we are new to this.",
    "The pictures come from drones that fly every week.",
    "At night the light is poor.",
    "Nobody on our team has done machine learning before.",
    "It will run on a small computer next to the machine.",
    "We take a photo every minute.",
    "Up to now we look at all pictures ourselves, which takes hours.",
    "That would save us a lot of work.",
    "Our budget is small.",
    "Sometimes the lens is dirty.",
    "The result goes into our database.",
    "We would like to start with a pilot in spring.",
    "A colleague said that neural networks could do it.",
    "The images are in colour and quite large.",
    "Think of thousands of images a day.",
    "We own the archive of the last ten years.",
    "So far we have no labels.",
    "Doctors in our hospital asked for it.",
    "Farmers in our region asked for it.",
    "The police asked us.",
    "It is for a student project.",
)
"""Sentences around a wish; each phrase is learned once alone and once among them."""
_UNCLEAR_COUNTS = 0.6
"""Weight of an unclear phrase: taking a clear wish for unclear is the worse mistake."""
_STRENGTH = 10.0
"""Inverse of the penalty, by cross-validation over the domains that are learned from."""
_MOST_STEPS = 3000

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


def in_context(these: Sequence[Phrase]) -> list[Phrase]:
    """Return the phrases among sentences that say nothing of the task: people tell more than they ask."""
    found = []
    for row, each in enumerate(these):
        if each.task != UNCLEAR:
            before, after = CONTEXTS[row % len(CONTEXTS)], CONTEXTS[(7 * row + 3) % len(CONTEXTS)]
            ending = "" if each.text.endswith((".", "?", "!")) else "."
            told = (
                f"{before} {each.text}{ending}",
                f"{each.text}{ending} {after}",
                f"{before} {each.text}{ending} {after}",
            )
            found.append(Phrase(each.task, each.domain, told[row % len(told)]))
    return found


def matrix(these: Sequence[Phrase]) -> Floats:
    """Return the features of phrases, (N, BUCKETS)."""
    return np.stack([features.vector(worded(each.text)) for each in these]).astype(np.float64)


def targets(these: Sequence[Phrase]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the classes of phrases, (N,)."""
    return np.array([NAMES.index(each.task) for each in these], dtype=np.int64)


def fitted(these: Sequence[Phrase], strength: float = _STRENGTH) -> tuple[Floats, Floats]:
    """Fit weights (classes, BUCKETS) and biases (classes,)."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=_MOST_STEPS, tol=1e-7)
    learned = [*these, *in_context(these)]
    weights = [_UNCLEAR_COUNTS if each.task == UNCLEAR else 1.0 for each in learned]
    model.fit(csr_matrix(matrix(learned)), targets(learned), sample_weight=weights)
    return np.asarray(model.coef_), np.asarray(model.intercept_)


def temperature(logits: Floats, truth: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    """Return the temperature of least log loss (Guo et al. 2017, On calibration of modern neural networks)."""
    grid = np.geomspace(0.2, 5, 400)
    rows = np.arange(len(truth))
    losses = [-np.log(deciding.softmax(logits / each)[rows, truth] + 1e-12).mean() for each in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)


def decided(weights: classifier.Weights, these: Sequence[Phrase]) -> Floats:
    """Return the sums of classifier and rules, (N, classes), before the temperature."""
    looked = [worded(each.text) for each in these]
    return np.stack([classifier.logits(each, weights) + rules.boosts(each)[0] for each in looked])


def learn(these: Sequence[Phrase]) -> classifier.Weights:
    """Fit, round, and fit the temperature."""
    coefficients, biases = fitted([each for each in these if not each.held_out])
    weights = classifier.rounded(coefficients, biases, 1.0)
    out = [each for each in these if each.held_out]
    return classifier.rounded(coefficients, biases, temperature(decided(weights, out), targets(out)))


def score(weights: classifier.Weights, these: Sequence[Phrase]) -> None:
    """Print how many are right, and how honest the confidence is."""
    shares = deciding.softmax(decided(weights, these) / weights.temperature)
    truth, best = targets(these), shares.argmax(axis=1)
    right, sure = best == truth, shares.max(axis=1)
    print(f"{len(these)} phrases: {right.mean():.3f} right, mean confidence {sure.mean():.3f}")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        here = (sure >= low) & (sure < high)
        if here.any():
            print(f"  confidence {low:.1f} to {min(high, 1):.1f}: {here.sum():4d}, right {right[here].mean():.2f}")
    for row in np.flatnonzero(~right).tolist():
        print(f"  {these[row].task:>16} -> {NAMES[best[row]]:<16} {sure[row]:.2f}  {these[row].text}")


def crossed(these: Sequence[Phrase], strength: float) -> float:
    """Return the share right when each learned domain is left out once, in five groups."""
    domains = sorted({each.domain for each in these})
    right = 0
    for group in range(5):
        out = set(domains[group::5])
        kept, left = [e for e in these if e.domain not in out], [e for e in these if e.domain in out]
        coefficients, biases = fitted(kept, strength)
        sums = decided(classifier.rounded(coefficients, biases, 1.0), left)
        right += int((sums.argmax(axis=1) == targets(left)).sum())
    return right / len(these)


def main() -> None:
    """Learn and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    parser.add_argument("--cross", action="store_true", help="cross-validate over domains, for several strengths")
    asked = parser.parse_args()
    these = phrases()
    print(len(these), "phrases;", dict(Counter(each.task for each in these)))
    learned = [each for each in these if not each.held_out]
    if asked.cross:
        for strength in (3.0, 10.0, 30.0, 100.0):
            print(f"strength {strength:g}: {crossed(learned, strength):.3f} right by cross-validation")
    weights = learn(these)
    print("temperature", weights.temperature)
    score(weights, [each for each in these if each.held_out])
    if asked.write:
        classifier.write(weights, classifier.FILE)
        print("wrote", classifier.FILE.name, classifier.FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

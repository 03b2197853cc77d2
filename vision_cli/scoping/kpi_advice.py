"""Which metric fits a task and why, what it hides, and a first bound; `metrics.sample_size` counts the photos."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["share", "classes", "rare", "objects", "areas", "mean", "time", "none"]

_RARE = re.compile(
    r"\b(?:rare|seldom|fraud\w*|defect\w*|fault\w*|anomal\w*|crack\w*|broken|damage\w*|cancer|tumou?rs?|malignan\w*|"
    r"diseas\w*|intru\w*|weapons?|"
    r"kni(?:fe|ves)|guns?|missing|reject\w*|scrap|leak\w*|fire|smoke|accidents?|polyps?|nodules?|fractures?|foreign|"
    r"alarm\w*|poachers?|"
    r"infect\w*|pathog\w*|contaminat\w*|without (?:an? )?helmets?|drows\w*|fights?)\b"
)
_SMALL = re.compile(
    r"\b(?:small|tiny|little|far away|distant|drones?|aerial|satellite|insects?|cells?|nuclei|particles?|screws?|"
    r"pills?|birds?|from above|"
    r"microscop\w*|crowds?|stars?)\b"
)
_OVERLAPPING = re.compile(
    r"\b(?:\d{2,} (?:classes|species|kinds|categories|types)|species|breeds?|dish(?:es)?|models?|brands?|hundreds?|"
    r"fine[- ]grained)\b"
)


@dataclass(frozen=True, slots=True)
class Advice:
    """One KPI that fits.

    Attributes:
        metric: name in the metrics table.
        op: `>`, `>=` or `<`.
        bound: a first one, to be replaced by what the use needs.
        true: what the model is assumed to reach in truth, when photos are counted that prove the bound.
        why: it fits.
        trap: what it hides, or what hides behind another metric.
        kind: how the photos that prove it are counted.
    """

    metric: str
    op: str
    bound: float
    true: float
    why: str
    trap: str
    kind: Kind

    @property
    def text(self) -> str:
        """Return it as `vision eval` takes it."""
        return f"{self.metric} {self.op} {self.bound:g}"


_LATENCY = Advice(
    "latency_ms.p95",
    "<",
    100.0,
    0.98,
    "a limit on the time of a photo is kept when 95 of 100 photos keep it",
    "the mean hides the slow ones, and a laptop says nothing of the device: measure it there",
    "time",
)
_MACRO_F1 = Advice(
    "f1",
    ">",
    0.9,
    0.95,
    "every class counts the same, whether frequent or rare, and both kinds of error count",
    "accuracy on rare classes: where 99 of 100 photos are fine, the model that always says 'fine' has 0.99",
    "classes",
)
_MAIN: Mapping[str, tuple[Advice, ...]] = {
    "classify": (_MACRO_F1,),
    "multilabel": (
        replace(
            _MACRO_F1,
            bound=0.8,
            true=0.9,
            trap="one threshold for all classes, and hamming_loss: with 20 tags of which 2 hold, "
            "the model that says nothing has 0.9 of its decisions right",
        ),
        Advice(
            "map",
            ">",
            0.8,
            0.9,
            "it judges the order of the scores of each tag, without a threshold",
            "a good map with bad thresholds is of no use: f1 stands beside it",
            "classes",
        ),
    ),
    "regress": (
        Advice(
            "mae",
            "<",
            1.0,
            0.8,
            "it is in the unit of your values: so far off is an answer on average",
            "a mean hides the few answers that are far off: look at max_error and the 95th percentile, and give r2 "
            "beside it, "
            "because a mae below the spread of the values may still be no better than their mean",
            "mean",
        ),
    ),
    "detect": (
        Advice(
            "ap50",
            ">",
            0.5,
            0.6,
            "it judges boxes and scores together, at every threshold; half overlap counts as found",
            "AP of small objects: the whole figure is carried by large ones, so look at ap_small, too",
            "objects",
        ),
        Advice(
            "recall",
            ">=",
            0.9,
            0.95,
            "the share of objects that are found at the threshold that you will use",
            "recall alone is perfect for the model that draws boxes everywhere: precision stands beside it",
            "objects",
        ),
    ),
    "instance": (
        Advice(
            "ap50",
            ">",
            0.5,
            0.6,
            "it judges masks and scores together, at every threshold",
            "half overlap forgives ragged edges: where the outline matters, ask for ap75; and AP of small objects "
            "hides in the whole",
            "objects",
        ),
    ),
    "semantic": (
        Advice(
            "miou",
            ">",
            0.5,
            0.6,
            "every class counts the same, however small its area",
            "pixel accuracy: where 95 % of the pixels are background, the model that says 'background' everywhere "
            "has 0.95",
            "areas",
        ),
    ),
    "panoptic": (
        Advice(
            "pq",
            ">",
            0.4,
            0.5,
            "it judges together how well segments are found and how well they are drawn",
            "one figure for two things: sq (drawn) and rq (found) tell which of them is bad, pq_th and pq_st where",
            "areas",
        ),
    ),
    "count": (
        Advice(
            "count_mae",
            "<",
            1.0,
            0.8,
            "so many objects is the count off on average",
            "misses and false boxes cancel out in a count: ap50 stands beside it, or the count is right for a wrong "
            "reason",
            "mean",
        ),
        Advice(
            "ap50",
            ">",
            0.5,
            0.6,
            "the boxes that are counted must be right themselves",
            "AP of small objects: crowded and far ones are missed first, so look at ap_small, too",
            "objects",
        ),
    ),
}
_RECALL = Advice(
    "recall",
    ">=",
    0.95,
    0.975,
    "what you look for is rare and missing it is dear: recall of that class, as recall[name]",
    "the photos that count are those of the rare class only: N of them, not of all; and precision stands beside it",
    "rare",
)
_TOP5 = Advice(
    "top5",
    ">",
    0.95,
    0.975,
    "where names overlap, such as species, several guesses are shown to a person anyway",
    "top5 flatters: with ten classes a guess of five is right half of the time; use it only beside f1, and with many "
    "classes",
    "share",
)


def advise(task: str, text: str, *, latency_ms: float | None = None) -> tuple[Advice, ...]:
    """Return the KPIs that fit, the main one first.

    Args:
        task: a key of OUTCOMES; those that nothing is trained for have none.
        text: description, in small letters.
        latency_ms: that an answer may take; None where nobody said.
    """
    found = list(_MAIN.get(task, ()))
    if not found:
        return ()
    if task in ("classify", "multilabel") and _RARE.search(text):
        found.append(_RECALL)
    if task == "classify" and _OVERLAPPING.search(text):
        found.append(_TOP5)
    if task in ("detect", "count", "instance") and _SMALL.search(text):
        found = [
            replace(each, trap=f"{each.trap}; yours seem to be small") if each.metric == "ap50" else each
            for each in found
        ]
    if latency_ms is not None:
        found.append(replace(_LATENCY, bound=latency_ms))
    return tuple(found)


def for_metric(metric: str, op: str, bound: float, task: str) -> Advice:
    """Return what is known of a KPI that the user names: text, trap and how its photos are counted."""
    known = {each.metric: each for each in (*_MAIN.get(task, ()), _RECALL, _TOP5, _LATENCY)}
    if metric in known:
        found = known[metric]
    else:
        kind: Kind = "share" if metric in _SHARES else "classes" if metric in _AVERAGES else "none"
        found = Advice(metric, op, bound, bound, "you asked for it", "see `vision metrics list`", kind)
    if found.kind == "time":
        true = found.true
    elif op.startswith("<"):
        true = 0.8 * bound
    else:
        true = bound + (1 - bound) / (2 if found.kind in ("share", "classes", "rare") else 5)
    return replace(found, op=op, bound=bound, true=true)


_SHARES = frozenset({"top1", "accuracy", "top5", "exact_match", "f1_micro", "recall_micro", "precision_micro"})
_AVERAGES = frozenset({"f1", "recall", "precision", "balanced_accuracy"})

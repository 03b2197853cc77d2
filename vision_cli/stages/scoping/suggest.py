"""`vision task suggest`: from a wish in words to a task, KPIs, an approach and models, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.scoping import deciding, elsewhere, kpi_advice
from vision_cli.scoping.deciding import Decision
from vision_cli.scoping.outcomes import NOT_VISION, OUTCOMES, TEXT, UNCLEAR
from vision_cli.scoping.targets import DEFAULT, TARGETS
from vision_cli.scoping.terms import terms
from vision_cli.stages.scoping import known, plan, proving, shortlist
from vision_cli.stages.scoping.known import Class
from vision_cli.stages.scoping.plan import Facts, Whole
from vision_cli.stages.scoping.proving import Known, Target
from vision_cli.stages.scoping.shortlist import Choice, Wanted

if TYPE_CHECKING:
    from vision_cli.stages.scoping.looking import Seen

_MOST_WORDS = 2000
"""Letters of a description: more is no description."""


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """What the user said.

    Attributes:
        description: the wish.
        task: a key of OUTCOMES, where the user knows it; else it is found.
        data: photos to look at.
        deploy: key of TARGETS; None where nobody said.
        latency_ms: that a photo may take.
        photos: labelled ones; those of `data` when None.
        classes: names; those of `data` when empty.
        kpis: texts of own KPIs; advised ones when empty.
        permissive: only weights whose licence asks for no more than its mention.
    """

    description: str
    task: str | None = None
    data: Path | None = None
    deploy: str | None = None
    latency_ms: float | None = None
    photos: int | None = None
    classes: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()
    permissive: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer.

    Attributes:
        request: what was asked.
        decision: the task, with reasons and confidence.
        kpis: that fit, with the photos that prove them.
        approach: all else that there is to do and to know.
        models: three, the fastest first.
        known_classes: words that public sets have as classes.
        target: machine that the models are chosen for.
        written: what became of the project file; None where it was not asked for.
    """

    request: SuggestRequest
    decision: Decision
    kpis: tuple[Target, ...]
    approach: Whole
    models: tuple[Choice, ...]
    known_classes: tuple[Class, ...]
    target: str
    written: Any = None

    @property
    def task(self) -> str:
        """Return the key of OUTCOMES."""
        return self.decision.task

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "task": self.task,
            "kpis": list(self.kpis),
            "approach": self.approach,
            "models": list(self.models),
            "known_classes": list(self.known_classes),
            "reasons": list(self.decision.reasons),
            "confidence": self.decision.confidence,
            "question": self.decision.question,
        }


def decide(request: SuggestRequest) -> Decision:
    """Find the task of a description, or take that which the user says.

    Raises:
        UsageError: there is no description, or it is no task.
    """
    text = request.description.strip()
    if not text:
        raise UsageError(
            "what do you want to know of your photos?",
            hint='Say it in your own words: vision task suggest "find hot dogs in photos"',
        )
    if len(text) > _MOST_WORDS:
        raise UsageError(f"the description has {len(text):,} letters.", hint="A sentence or two will do.")
    found = deciding.decide(text)
    if request.task is None:
        return found
    if request.task not in OUTCOMES or request.task == UNCLEAR:
        names = ", ".join(name for name in OUTCOMES if name != UNCLEAR)
        raise UsageError(f"--task: unknown task '{request.task}'.", hint=f"One of {names}.")
    return deciding.told(request.task, found.said)


def suggest(request: SuggestRequest, decision: Decision, progress: Progress) -> Suggestion:
    """Answer with all that follows from the task.

    Raises:
        UsageError: a KPI or a target that does not fit.
        DataError: the photos are refused.
    """
    seen = _seen(request, decision, progress)
    target = request.deploy or DEFAULT
    words = request.classes or (() if seen is None else seen.classes)
    found = known.classes(request.description, request.classes)
    if decision.task in (UNCLEAR, NOT_VISION, TEXT):
        if request.kpis:
            proving.targets((), request.kpis, Known(decision.task, 0, None))
        whole = _nothing_trained(decision, request, seen)
        return Suggestion(request, decision, (), whole, (), found, target)
    about = Known(decision.task, len(words) or _usual(decision.task), None if seen is None else seen.objects)
    advised = kpi_advice.advise(decision.task, decision.said.text, latency_ms=request.latency_ms)
    machine = TARGETS[target]
    runtime = machine.file if request.deploy else None
    kpis = proving.targets(advised, request.kpis, about, runtime=runtime)
    ready = known.without_training(found, decision.task, machine, permissive=request.permissive)
    photos = request.photos if request.photos is not None else (None if seen is None else seen.labelled)
    tests = next((each.photos for each in kpis), None)
    facts = Facts(decision.task, decision.said.text, photos, about.classes, about.objects, tests, bool(ready))
    begin, made = plan.begun(facts)
    whole = Whole(
        trains_as=OUTCOMES[decision.task].trains_as,
        begin=begin,
        labelling=plan.labelled(facts),
        synthetic=made,
        pretrained=(*ready, *elsewhere.made(decision.said)),
        public_sets=known.helping(found, decision.task),
        instead=(),
        words=terms(decision.said),
        deployment=plan.matters(request.deploy, request.latency_ms),
        data=seen,
    )
    models = shortlist.three(Wanted(decision.task, machine, request.latency_ms, request.permissive))
    return Suggestion(request, decision, kpis, whole, models, found, target)


def _usual(task: str) -> int:
    """Return how many classes to count with where nobody says it."""
    return {"classify": 2, "multilabel": 5, "semantic": 2, "panoptic": 5}.get(task, 1)


def _seen(request: SuggestRequest, decision: Decision, progress: Progress) -> Seen | None:
    if request.data is None:
        return None
    from vision_cli.stages.scoping import looking

    seen = looking.look(request.data, progress)
    return replace(seen, fits=looking.fitting(seen, decision.task, request.description))


def _nothing_trained(decision: Decision, request: SuggestRequest, seen: Seen | None) -> Whole:
    return Whole(
        trains_as=None,
        begin=None,
        labelling=None,
        synthetic=None,
        pretrained=elsewhere.made(decision.said) if decision.task != NOT_VISION else (),
        public_sets=(),
        instead=elsewhere.instead(decision.task, decision.said),
        words=terms(decision.said),
        deployment=plan.matters(request.deploy, request.latency_ms) if decision.task == TEXT else (),
        data=seen,
    )

"""`vision task suggest` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.scoping.outcomes import OUTCOMES
from vision_cli.scoping.targets import TARGETS
from vision_cli.stages.scoping.known import Class
from vision_cli.stages.scoping.plan import Whole
from vision_cli.stages.scoping.proving import Target
from vision_cli.stages.scoping.suggest import Suggestion

_MOST_NAMES = 4


def draw(result: Suggestion, paper: Paper) -> None:
    """Draw the task and why, then KPIs, approach, models and questions."""
    _task(result, paper)
    if result.approach.data is not None:
        _data(result.approach, paper)
    _known(result, paper)
    if result.kpis:
        _kpis(result, paper)
    _approach(result.approach, paper)
    if result.models:
        _models(result, paper)
    _settle(result.approach, paper)
    _written(result, paper)


def _task(result: Suggestion, paper: Paper) -> None:
    found = OUTCOMES[result.task]
    trained = result.approach.trains_as
    trains = f"; task: {trained}" if trained else ""
    paper.line(f"{found.title}{trains} (confidence {result.decision.confidence:.0%})", style="bold")
    if trained:
        paper.line(f"a model answers with {found.answers}")
    for reason in result.decision.reasons:
        paper.line(f"- {reason}")
    if result.approach.words:
        paper.heading("In the words of the field")
        paper.table((), [(f"'{word}'", term) for word, term in result.approach.words.items()])
    if result.decision.question is not None:
        paper.heading(result.decision.question.text)
        paper.table((), [(f"--task {task}", answer) for answer, task in result.decision.question.answers])


def _data(whole: Whole, paper: Paper) -> None:
    seen = whole.data
    if seen is None:
        return
    paper.heading(f"The photos in {place(seen.path)}")
    sizes = " to ".join(f"{width} x {height}" for width, height in seen.sizes_px[1:])
    paper.pairs(
        [
            ("photos", f"{seen.photos:,}"),
            ("sizes", f"{sizes} pixels" if sizes else "unknown"),
            ("labels", seen.labels or "none"),
            *([("classes", f"{len(seen.classes)}: {', '.join(seen.classes[:12])}")] if seen.classes else []),
        ]
    )
    for sentence in seen.fits:
        paper.line(f"- {sentence}")
    for finding in seen.findings:
        paper.line(f"- {finding}", style="yellow")
    looked = f"{seen.looked_at:,} photos were looked at" if seen.looked_at < seen.photos else "all were looked at"
    paper.line(f"{looked}; more: vision data check {place(seen.path)}", style="dim")


def _known(result: Suggestion, paper: Paper) -> None:
    if result.known_classes:
        paper.heading("Words that are classes of public sets")
        paper.table((), [(f"'{each.word}'", each.dataset, _names(each)) for each in result.known_classes])
    for sentence in result.approach.pretrained:
        paper.line(f"- {sentence}")


def _names(each: Class) -> str:
    more = f" and {len(each.labels) - _MOST_NAMES} more" if len(each.labels) > _MOST_NAMES else ""
    return f"{', '.join(each.labels[:_MOST_NAMES])}{more}{' (kinds of it)' if each.how == 'kind' else ''}"


def _kpis(result: Suggestion, paper: Paper) -> None:
    paper.heading("KPIs")
    for each in result.kpis:
        paper.line(each.kpi, style="bold")
        paper.line(f"  why: {each.advice.why}")
        paper.line(f"  trap: {each.advice.trap}")
        paper.line(f"  proof: {_proof(each)}")


def _proof(each: Target) -> str:
    if each.photos is None:
        return each.stands_on
    truly = "" if each.advice.kind == "time" else f" if the model truly has {each.advice.true:g}"
    proved = f"about {each.photos:,} test photos prove it at {each.confidence:.0%} in 8 of 10 cases"
    return f"{proved}{truly} ({each.stands_on})"


def _approach(whole: Whole, paper: Paper) -> None:
    for sentence in whole.instead:
        paper.line(f"- {sentence}")
    begin, labelling = whole.begin, whole.labelling
    if begin is None or labelling is None or whole.synthetic is None:
        return
    paper.heading(f"Approach: {begin.method}")
    for step in begin.then:
        paper.line(f"- {step}")
    for sentence in whole.public_sets:
        paper.line(f"- public photos: {sentence}")
    if labelling.photos:
        unit = "" if labelling.unit == "image" else f", {labelling.objects:.2g} {_plural(labelling.unit)} each"
        paper.heading(f"{labelling.photos:,} more photos to label for a first version{unit}")
        paper.table(
            ("", "cost", "days"),
            [(bill.way, f"${bill.dollars:,.2f}", f"{bill.days:,.2f}") for bill in labelling.bills],
            right=(1, 2),
        )
        paper.line("one person, 8 hours a day; rates and their sources: vision data cost", style="dim")
    works = {True: "can serve", False: "cannot work here", None: "may serve"}[whole.synthetic.works]
    paper.line(f"- synthetic photos {works}: {whole.synthetic.why}")


def _plural(unit: str) -> str:
    return {"box": "boxes", "polygon": "outlines"}[unit]


def _models(result: Suggestion, paper: Paper) -> None:
    paper.heading(f"Models for {TARGETS[result.target].title}")
    rows = [
        (
            each.role,
            each.weights.name,
            f"{each.weights.accuracy:g} %",
            f"{each.weights.size_bytes / 1e6:.1f} MB",
            "-" if each.ms is None else f"{each.ms:,.0f} ms",
            each.weights.licence,
        )
        for each in result.models
    ]
    paper.table(("", "weights", "accuracy", "size", "about", "licence"), rows, right=(2, 3, 4))
    first = result.models[0].why.split("; ")
    paper.line(f"accuracy: {first[0].split(' % ', 1)[-1]}; times are estimates: measure on the machine", style="dim")


def _settle(whole: Whole, paper: Paper) -> None:
    if not whole.deployment:
        return
    paper.heading("To settle before work begins")
    for each in whole.deployment:
        paper.line(f"- {each.name}: {each.answer or each.question} ({each.why})")


def _written(result: Suggestion, paper: Paper) -> None:
    done = result.written
    if done is None:
        return
    paper.line()
    if not done.text:
        paper.outcome(f"{done.file}: nothing to add")
    elif done.written:
        paper.outcome(f"wrote {done.file}: {', '.join(done.added) or 'comments'}")
    else:
        paper.outcome(f"would add to {done.file}:")
        for line in done.text.splitlines():
            paper.line(f"  {line}")
    if done.kept:
        paper.line(f"left as it is: {', '.join(done.kept)}")

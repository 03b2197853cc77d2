"""`--write`: what was suggested as a `vision.yaml`, with comments. What stands there already is left as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from pydantic import ValidationError

from vision_cli.core import files, yaml_source
from vision_cli.core.config import ProjectConfig
from vision_cli.core.errors import UsageError
from vision_cli.stages.project.project_text import scalar
from vision_cli.stages.scoping.shortlist import BEYOND
from vision_cli.stages.scoping.suggest import Suggestion

_WIDTH = 108
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+")
_HEAD = "# vision task suggest: "


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the project file.

    Attributes:
        file: project file.
        added: top-level keys that were added.
        kept: keys that the user's file has already, which were left as they are.
        text: that was added.
        written: False for a dry run, or where there was nothing to add.
    """

    file: Path
    added: tuple[str, ...]
    kept: tuple[str, ...]
    text: str
    written: bool


def write(suggestion: Suggestion, file: Path, *, dry_run: bool) -> Written:
    """Add to a project file what it lacks, or begin one.

    Raises:
        UsageError: nothing is trained for the task, or nothing can be added to the file.
        ResourceError: the disk refuses.
    """
    trained = suggestion.approach.trains_as
    if trained is None:
        raise UsageError(
            f"--write: {suggestion.task} is no task that a project file could name.",
            hint=suggestion.decision.question.text if suggestion.decision.question else "Leave --write out.",
        )
    old = _read(file)
    there = _keys(old, file)
    if there.get("task", trained) != trained:
        raise UsageError(
            f"--write: {file.name} says task: {there['task']}, and the suggestion is {trained}.",
            hint=f"Say which is meant: --task {there['task']}, or change {file.name}.",
        )
    blocks = {name: lines for name, lines in _blocks(suggestion, file).items() if name not in there}
    told = _told(suggestion)
    if told[0] in old.decode("utf-8-sig").splitlines():
        told = []
    lines = [*told, *(line for block in blocks.values() for line in block)]
    ending = "\r\n" if b"\r\n" in old else "\n"
    text = ending.join([*lines, ""]) if lines else ""
    whole = old + (ending.encode() if old and not old.endswith(b"\n") else b"") + text.encode()
    _check(whole, file)
    if lines and not dry_run:
        files.write_bytes(file, whole)
    kept = tuple(name for name in _blocks(suggestion, file) if name in there)
    return Written(file, tuple(blocks), kept, text, bool(lines) and not dry_run)


def _read(file: Path) -> bytes:
    if not file.exists():
        return b""
    if not file.is_file():
        raise UsageError(f"{file}: is there, and no file.", hint="Name another one: --project FILE.")
    return files.read_limited(file, max_bytes=yaml_source.MAX_BYTES, what="a project file")


def _keys(old: bytes, file: Path) -> dict[str, object]:
    tree = yaml_source.parse(files.utf8(old, where=str(file)).removeprefix("\ufeff"), file.name).tree
    if not isinstance(tree, dict):
        raise UsageError(f"{file}: expected keys and values, got {type(tree).__name__}.")
    return {str(key): value for key, value in tree.items()}


def _check(whole: bytes, file: Path) -> None:
    """Refuse an outcome that is no project file: a file in braces takes no more lines, for example."""
    try:
        ProjectConfig.model_validate(yaml_source.parse(whole.decode("utf-8-sig"), file.name).tree)
    except (ValidationError, UsageError) as error:
        raise UsageError(
            f"--write: nothing can be added to {file.name} as it is.",
            details=[str(error).splitlines()[0]],
            hint="Mend it (`vision config check`), or write to another one: --project FILE.",
        ) from error


def _blocks(suggestion: Suggestion, file: Path) -> dict[str, list[str]]:
    """Return the lines of each top-level key."""
    root = file.absolute().parent
    found = {
        "version": ["version: 1"],
        "name": [f"name: {scalar(root.name or 'vision-project')}"],
        "task": [f"task: {suggestion.approach.trains_as}", ""],
        "data": _data(suggestion, root),
        "model": [*_models(suggestion), ""],
        "kpis": [*_kpis(suggestion), ""],
    }
    return {name: lines for name, lines in found.items() if any(lines)}


def _data(suggestion: Suggestion, root: Path) -> list[str]:
    seen = suggestion.approach.data
    if seen is None or seen.survey is None:
        return []
    images = seen.survey.images
    path = scalar(_relative(seen.path, root))
    more = "" if images is None else f", images: {scalar(_relative(images, root))}"
    return [
        *_comment(f"{seen.photos} photos; labels: {seen.labels}"),
        "data:",
        "  sources:",
        f"    photos: {{path: {path}, format: {scalar(seen.survey.format)}{more}}}",
        "",
    ]


def _relative(path: Path, root: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), root)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _models(suggestion: Suggestion) -> list[str]:
    if not suggestion.models:
        return []
    told = [line for each in suggestion.models for line in _comment(f"{each.role}: {each.weights.name}: {each.why}")]
    fitting = [each for each in suggestion.models if each.role != BEYOND] or list(suggestion.models)
    chosen = fitting[len(fitting) // 2].weights
    family = _family(chosen.family, suggestion.task)
    return [
        *told,
        f"model: {{family: {scalar(family)}, backbone: {scalar(chosen.backbone)}, weights: {scalar(chosen.weights)}}}",
    ]


def _family(family: str, task: str) -> str:
    """Return the family that trains a task with such weights: panopticfpn takes those of Mask R-CNN."""
    return "panopticfpn" if task == "panoptic" else family


def _kpis(suggestion: Suggestion) -> list[str]:
    lines = ["kpis:"]
    for each in suggestion.kpis:
        proof = "" if each.photos is None else f" About {each.photos:,} test photos prove it ({each.stands_on})."
        lines += _comment(f"{each.advice.why}. Trap: {each.advice.trap}.{proof}", indent=2)
        lines.append(f"  - {{kpi: {scalar(each.kpi)}, confidence: {each.confidence:g}}}")
    return lines if len(lines) > 1 else []


def _told(suggestion: Suggestion) -> list[str]:
    """Return the comments that belong to no key."""
    decision, whole = suggestion.decision, suggestion.approach
    begin = whole.begin
    texts = [
        f"task: {suggestion.task}, confidence {decision.confidence:.0%}: {'; '.join(decision.reasons)}",
        *([] if begin is None else [f"approach: {begin.method}", *(f"- {step}" for step in begin.then)]),
        *(f"- {each}" for each in whole.pretrained),
        *(f"- public set: {each}" for each in whole.public_sets),
        *([] if whole.synthetic is None else [f"synthetic photos: {whole.synthetic.why}"]),
        "to settle before work begins:",
        *(f"- {each.question} {each.answer or ''}".rstrip() for each in whole.deployment),
    ]
    head = f"{_HEAD}{_CONTROLS.sub(' ', suggestion.request.description)}"
    return [head, *(line for text in texts for line in _comment(text))]


def _comment(text: str, *, indent: int = 0) -> list[str]:
    lead = " " * indent
    return [f"{lead}# {line}" for line in _wrapped(_CONTROLS.sub(" ", text))]


def _wrapped(text: str) -> Sequence[str] | Iterator[str]:
    return wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)

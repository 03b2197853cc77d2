"""The text of a new `vision.yaml`: short, commented, and read back as what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import yaml

from vision_cli.core.tasks import PHOTO_TASKS, PLACE_TASKS

_PLAIN = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./~ +-]*")
_MOST_CLASSES = 60
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class ProjectText:
    """What the file says.

    Attributes:
        name: of the project.
        task: of `core.tasks.TASKS`.
        data: path of the photos as the file names it.
        schema: path of the JSON Schema, relative to the file.
        kpis: texts.
        images: path of the folder of the photos, where it has to be said.
    """

    name: str
    task: str
    data: str
    schema: str
    kpis: Sequence[str]
    images: str | None = None


class Seen(Protocol):
    """What was found in the data; see `init.Survey`."""

    @property
    def format(self) -> str:
        """Name in the formats table."""

    @property
    def photos(self) -> int:
        """Number of photos."""

    @property
    def objects(self) -> int | None:
        """Number of labelled objects; None where photos are counted."""

    @property
    def classes(self) -> tuple[tuple[str, int], ...]:
        """Names with their number of photos, or of objects."""

    @property
    def values(self) -> tuple[float, float, float] | None:
        """Lowest, highest, spread."""

    @property
    def splits(self) -> object:
        """What the photos come with; empty when nothing."""


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, for block and flow, that every YAML reader takes for this very string."""
    if _PLAIN.fullmatch(text) and text == text.strip() and yaml.safe_load(text) == text:
        return text
    # JSON's strings are YAML's double-quoted ones; lone surrogates and odd line ends must not stand there as they are
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", lambda each: f"\\u{ord(each[0]):04x}", _json(text))


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def write(wanted: ProjectText, seen: Seen) -> str:
    """Return the file's text."""
    places = wanted.task in PLACE_TASKS
    images = f", images: {scalar(wanted.images)}" if wanted.images else ""
    lines = [
        f"# yaml-language-server: $schema={wanted.schema}",
        "# Everything else has a default: `vision config show` prints what is in force.",
        "version: 1",
        f"name: {scalar(wanted.name)}",
        f"{f'task: {wanted.task}':<34}# {' | '.join(PLACE_TASKS if places else PHOTO_TASKS)}",
        "",
        "data:",
        "  sources:",
        f"    photos: {{path: {scalar(wanted.data)}, format: {scalar(seen.format)}{images}}}",
        *_labels(seen),
        *_split(seen),
        "",
        "model: {family: auto, weights: imagenet}"
        if places
        else "model: {family: timm, backbone: tf_efficientnet_lite0, weights: imagenet}",
        "train: {freeze: auto, augment: medium, seed: 1}",
        "",
        "kpis:",
        *(f"  - {_kpi(text)}" for text in wanted.kpis),
        "",
        "export: {formats: [onnx, tflite], precision: float32}",
        "",
    ]
    return "\n".join(lines)


def _kpi(text: str) -> str:
    return text if re.fullmatch(r"[a-z0-9_.]+ ?[<>]=? ?[0-9.eE+-]+", text) else _json(text)


def _labels(seen: Seen) -> list[str]:
    if seen.values is not None:
        low, high, _ = seen.values
        return [f"    # {seen.photos} photos with values from {low:g} to {high:g}"]
    shown = [f"{scalar(name)} {count}" for name, count in seen.classes[:_MOST_CLASSES]]
    more = [f"and {len(seen.classes) - _MOST_CLASSES} more"] if len(seen.classes) > _MOST_CLASSES else []
    noun = "class" if len(seen.classes) == 1 else "classes"
    objects = "" if seen.objects is None else f"{seen.objects} objects of "
    return _comment(f"{seen.photos} photos, {objects}{len(seen.classes)} {noun}: {', '.join([*shown, *more])}")


def _comment(text: str) -> list[str]:
    """Wrap at spaces; what is quoted in `text` holds no line end."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) + 1 > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [f"    # {each}" for each in [*lines, line]]


def _split(seen: Seen) -> list[str]:
    if not seen.splits:
        return ["  split: {train: 0.7, val: 0.15, test: 0.15, seed: 7}"]
    return ["  # the photos come with their own split"]

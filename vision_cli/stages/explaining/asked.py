"""What `vision explain` is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.project import Project
from vision_cli.core.tiling import Window

AUTO = "auto"
STAGE = "explain"
RESULT_NAME = "explain.json"
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class How:
    """How photos are explained.

    Attributes:
        method: of `models.explaining.METHODS`; `auto` takes what fits the answer.
        layer: by name; None takes the last map that fits the answer.
        class_name: to explain; None takes what is answered.
        most: boxes, labels or regions of a photo, the surest.
        channels: that Score-CAM tries; None tries all.
    """

    method: str = AUTO
    layer: str | None = None
    class_name: str | None = None
    most: int = 6
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What to explain.

    Attributes:
        project: names the data, and where the last training is.
        inputs: files, folders and globs; without any, validation photos that the model got right and wrong.
        model: run, model folder or a network by name; None takes the last training's.
        how: photos are explained.
        number: of right and of wrong validation photos.
        maps: channels of the layer to show; 0 shows none.
        nearest: training photos to show; 0 shows none.
        to: folder for the pictures; None takes the run's own.
        confidence: from which score on a box counts; the model's own when None.
        classes: that a network known by its name answers with.
        offline: nothing may be downloaded.
        threads: of torch; all cores when None.
        dry_run: write nothing.
    """

    project: Project
    inputs: tuple[str, ...] = ()
    model: Path | None = None
    how: How = How()
    number: int = 4
    maps: int = 0
    nearest: int = 0
    to: Path | None = None
    confidence: float | None = None
    classes: tuple[str, ...] = ()
    offline: bool = False
    threads: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One map: the evidence for one answer about a photo.

    Attributes:
        label: class name; empty for values.
        confidence: 0..1 of the answer; None for values and regions.
        score: what was explained: the raw output, logit or decision value.
        method: that made the map.
        layer: whose map it is.
        heat: float32 (h, w), 0 or more, over what the network saw.
        window: the part of the photo that it saw: left, top, width, height.
        box: left, top, right, bottom in pixels of the photo; None where the answer is about more than a box.
        region: bool (H, W), pixels of the photo that were answered with the class; None likewise.
        share: of the photo's pixels that the region has.
        peak: (x, y), the photo's pixel of the most evidence; None where there is none.
    """

    label: str
    confidence: float | None
    score: float
    method: str
    layer: str
    heat: NDArray[np.float32]
    window: Window
    box: tuple[float, float, float, float] | None = None
    region: NDArray[np.bool_] | None = None
    share: float | None = None
    peak: tuple[int, int] | None = None

    @property
    def most(self) -> float:
        """Return the strongest evidence of a place."""
        return float(self.heat.max(initial=0.0))

    def as_json(self, *, maps: bool) -> dict[str, Any]:
        """Return plain JSON values."""
        document: dict[str, Any] = {"class": self.label, "confidence": self.confidence, "score": self.score}
        if self.box is not None:
            left, top, right, bottom = self.box
            document["box"] = [round(value, 2) for value in (left, top, right - left, bottom - top)]
        if self.share is not None:
            document["share"] = round(self.share, 6)
        document |= {"method": self.method, "layer": self.layer, "window": list(self.window)}
        document |= {"most": self.most, "peak": None if self.peak is None else list(self.peak)}
        return {**document, "map": np.round(self.heat.astype(float), _DIGITS).tolist()} if maps else document


@dataclass(frozen=True, slots=True)
class Near:
    """A training photo that is like the one explained.

    Attributes:
        path: of the photo.
        label: of it.
        distance: 1 - cosine of the angle between the vectors.
    """

    path: Path
    label: str | None
    distance: float

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"path": self.path, "label": self.label, "distance": self.distance}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one photo.

    Attributes:
        path: of the photo.
        size_px: (width, height).
        answer: of the model, in words.
        confidence: 0..1; None without one.
        truth: its label, or how right the answer is, where it was chosen from labelled photos.
        chosen_as: `wrong`, `right`, `worst` or `best`; None where the user named it.
        parts: maps, the surest answer first.
        nearest: training photos, the nearest first.
        pictures: that were written, by what they show: `heat`, `maps`, `nearest`.
        notes: one sentence each.
    """

    path: Path
    size_px: tuple[int, int]
    answer: str
    confidence: float | None
    truth: str | None = None
    chosen_as: str | None = None
    parts: tuple[Part, ...] = ()
    nearest: tuple[Near, ...] = ()
    pictures: Mapping[str, Path] | None = None
    notes: tuple[str, ...] = ()

    def as_json(self, *, maps: bool = False) -> dict[str, Any]:
        """Return plain JSON values; the maps themselves only where they are wanted."""
        truth = {} if self.truth is None else {"truth": self.truth, "chosen_as": self.chosen_as}
        return {
            "path": self.path,
            "width": self.size_px[0],
            "height": self.size_px[1],
            "answer": self.answer,
            "confidence": self.confidence,
            **truth,
            "parts": [part.as_json(maps=maps) for part in self.parts],
            "nearest": [each.as_json() for each in self.nearest],
            "pictures": dict(self.pictures or {}),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ExplainResult:
    """What was explained.

    Attributes:
        model: path, or the name of a published network.
        model_sha256: of its weights.
        task: of the model.
        family: of the model.
        chosen: whether the photos were chosen from the validation split.
        explanations: one a photo.
        refused: path and reason of photos that cannot be read.
        folder: of pictures and `explain.json`; None after a dry run.
        notes: one sentence each.
    """

    model: Path
    model_sha256: str
    task: str
    family: str
    chosen: bool
    explanations: tuple[Explanation, ...]
    refused: tuple[tuple[Path, str], ...]
    folder: Path | None
    notes: tuple[str, ...] = ()

    def as_json(self, *, maps: bool = False) -> dict[str, Any]:
        """Return the members that `--json` prints; `explain.json` has the maps, too."""
        return {
            "model": self.model,
            "model_sha256": self.model_sha256,
            "task": self.task,
            "family": self.family,
            "chosen": self.chosen,
            "explanations": [each.as_json(maps=maps) for each in self.explanations],
            "refused": [{"path": path, "reason": reason} for path, reason in self.refused],
            "folder": self.folder,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class LayersResult:
    """The layers that can be looked at.

    Attributes:
        model: path, or the name of a published network.
        layers: name, channels, height, width and stride of each map, in the order in which they are made.
        default: that is taken where none is named, for answers about the whole photo; None where it depends on the box.
    """

    model: Path
    layers: tuple[tuple[str, int, int, int, int], ...]
    default: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        names = ("name", "channels", "height", "width", "stride")
        rows = [dict(zip(names, each, strict=True)) for each in self.layers]
        return {"model": self.model, "default": self.default, "layers": rows}

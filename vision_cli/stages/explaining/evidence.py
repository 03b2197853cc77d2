"""The map of one score, and where its places lie in the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import policy
from vision_cli.core.decoding.photos import views as windows_of
from vision_cli.core.decoding.pixels import values_of_photo
from vision_cli.core.decoding.placing import place
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.tiling import Window
from vision_cli.imaging import prepare
from vision_cli.models.explaining import CAM, GRADCAM, METHODS, SCORECAM
from vision_cli.stages.explaining.asked import AUTO, How, Part
from vision_cli.stages.explaining.subject import Subject

if TYPE_CHECKING:
    from vision_cli.models.explaining.question import Question, Score
    from vision_cli.models.explaining.spots import Spot

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A network with how it is asked.

    Attributes:
        subject: the network.
        how: photos are explained.
        spots: its layers that give maps.
        progress: hears of the passes of Score-CAM.
    """

    subject: Subject
    how: How
    spots: Sequence[Spot]
    progress: Progress

    def spot(self, stride: int | None = None) -> Spot:
        """Return the layer that was asked for, or the last map that fits.

        Raises:
            UsageError: there is none.
        """
        from vision_cli.models.explaining import spots

        if self.how.layer is not None:
            return spots.find(self.spots, self.how.layer)
        return spots.last(self.spots, stride)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A photo as the network sees it.

    Attributes:
        path: of the photo.
        size_px: (width, height) of the photo.
        views: float32 (1, channels, height, width) each: its tiles, or the whole.
        windows: the part of the photo that each view shows.
    """

    path: Path
    size_px: Size
    views: tuple[Any, ...] = field(default=())
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One answer whose evidence is wanted.

    Attributes:
        spot: the layer.
        score: what is explained.
        usual: the method that fits such scores.
        label: class name; empty for values.
        confidence: 0..1; None for values and regions.
        view: of the photo, that the score is of.
        box: see `Part`.
        region: see `Part`.
        share: see `Part`.
    """

    spot: Spot
    score: Score
    usual: str
    label: str
    confidence: float | None
    view: int = 0
    box: tuple[float, float, float, float] | None = None
    region: NDArray[np.bool_] | None = None
    share: float | None = None


def open_look(subject: Subject, how: How, progress: Progress) -> Look:
    """Return a network with its layers; a layer that is asked for is looked up.

    Raises:
        UsageError: it has no such layer.
    """
    import torch

    from vision_cli.models.explaining import spots

    policy.keep_freed_memory()
    subject.network.to(memory_format=torch.channels_last)
    preprocess = subject.card.preprocess
    width, height = preprocess.size_px
    grey = torch.zeros(1, preprocess.channels, height, width)
    look = Look(subject, how, spots.spots(subject.network, grey), progress)
    look.spot()
    return look


def see(path: Path, preprocess: Preprocess) -> Seen:
    """Read a photo as the network sees it.

    Raises:
        DataError: the photo is refused.
    """
    import torch

    shown, size_px = prepare.load_views(path, preprocess)
    views = tuple(torch.from_numpy(prepare.normalise(each, preprocess)[None]) for each in shown)
    return Seen(path, size_px, views, tuple(windows_of(size_px, preprocess)))


def explained(look: Look, seen: Seen, ask: Ask) -> Part:
    """Return the map of one score.

    Raises:
        UsageError: the layer has no part in it, or the method does not fit.
    """
    import torch

    from vision_cli.models.explaining.question import Question

    photo = seen.views[ask.view]
    question = Question(photo, ask.spot, ask.score, look.how.channels)
    method = _method(look, question, ask.usual)
    heat = METHODS.load(method).heat(question, _tell(look, method))
    with torch.no_grad():
        value = float(ask.score(photo)[0])
    said = (ask.label, ask.confidence, value, method, ask.spot.name)
    part = Part(*said, heat, seen.windows[ask.view], ask.box, ask.region, ask.share)
    return _with_peak(part, seen.size_px, look.subject.card.preprocess)


def _method(look: Look, question: Question, usual: str) -> str:
    if look.how.method != AUTO:
        return look.how.method
    if usual == GRADCAM and look.subject.card.family == "features" and METHODS.load(CAM).fits(question):
        return CAM
    return usual


def _tell(look: Look, method: str) -> Any:
    def tell(done: int, total: int) -> None:
        look.progress.step("channels", done, total)

    return tell if method == SCORECAM else None


def _with_peak(part: Part, size_px: Size, preprocess: Preprocess) -> Part:
    if part.most <= 0:
        return part
    heat = spread(part, size_px, preprocess)
    row, column = np.unravel_index(int(np.nanargmax(heat)), heat.shape)
    return replace(part, peak=(int(column), int(row)))


def spread(part: Part, size_px: Size, preprocess: Preprocess) -> NDArray[np.float32]:
    """Return a part's map over its photo, float32 (H, W), 0 to 1; NaN where the network did not look.

    Args:
        part: with its map.
        size_px: (width, height) of the photo.
        preprocess: of the network.
    """
    left, top, width, height = part.window
    here = values_of_photo(part.heat / max(part.most, 1e-30), place((width, height), preprocess))
    if (width, height) == size_px:
        return here
    found = np.full((size_px[1], size_px[0]), np.nan, np.float32)
    found[top : top + height, left : left + width] = here
    return found

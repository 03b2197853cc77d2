"""On which side of a split the photos of a run stand: a background on one, its photos with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from vision_cli import formats
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import SplitConfig
from vision_cli.core.dataset import SPLITS, ClassMap, Dataset
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.making.label_set import Labels
from vision_cli.views import split as splitting

_HOLDS_BACKGROUNDS = frozenset({"group", "metadata"})


def sides_of(asked: Asked, to: str, shares: SplitConfig) -> Mapping[str, str]:
    """Return the side of each background; none where whoever reads the data set can tell them apart.

    Backgrounds or objects of a view bring their side along. Those of a folder have none: a format that holds the
    background of each photo leaves the split to training, and for the others they are dealt here. That follows from
    the backgrounds of the run, so it is the same when the run grows.

    Args:
        asked: the run.
        to: format of the data set.
        shares: of the project's split.
    """
    if asked.side is not None:
        return dict.fromkeys(asked.backgrounds, asked.side)
    carries = formats.FORMATS.load(to).CARRIES
    if "split" not in carries or _HOLDS_BACKGROUNDS & carries:
        return {}
    dealt = splitting.split(_photos(asked), shares.model_copy(update={"group": None}), "classify")
    return dict(zip(asked.backgrounds, dealt.splits().tolist(), strict=True))


def dealt_notes(asked: Asked, labels: Labels) -> tuple[str, ...]:
    """Say that photos were dealt, and why."""
    if asked.side is not None or not labels.sides:
        return ()
    counts = Counter(labels.sides.values())
    told = ", ".join(f"{counts[side]} are {side}" for side in SPLITS if counts[side])
    reason = f"The format '{labels.format}' holds no backgrounds, so photos come with a split by them"
    return (f"{reason}: of {len(labels.sides)} backgrounds {told} (data.split).",)


def _photos(asked: Asked) -> Dataset:
    """Return the backgrounds as photos without labels."""
    number = len(asked.backgrounds)
    empty = {name: [None] * number for name in IMAGE_COLUMNS.names}
    columns = {**empty, "id": list(range(number)), "source": ["synth"] * number, "path": list(asked.backgrounds)}
    images = pa.table(columns, schema=IMAGE_COLUMNS)
    return Dataset(images, ANNOTATION_COLUMNS.empty_table(), ClassMap(), {"synth": asked.folder})

"""Open Images: CSV files of boxes and of labels of whole photos, class descriptions, image ids.

Format: https://storage.googleapis.com/openimages/web/download_v7.html. Corners are shares of the photo's sides; flags
are 1, 0 or -1 (unknown). A photo is `images/<subset>/<ImageID>.jpg`, or of that name anywhere below the folder. Labels
with Confidence 0 say that somebody looked and the class is not there: they stand in the photos' column `absent_labels`.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions
from vision_cli.formats.openimages.reading import read_folder
from vision_cli.formats.openimages.tables import header_kind, tables_below
from vision_cli.formats.openimages.writing import losses, write

__all__ = ["CARRIES", "PIXELS", "detect", "losses", "read", "write"]

CARRIES = frozenset(
    {
        *("class", "classes", "box", "crowd", "truncated", "occluded", "score", "attributes", "ids"),
        *("unlabelled", "split", "metadata", "order"),
    }
)
PIXELS = "exclusive"


def detect(path: Path) -> str | None:
    """Return the evidence that a file, a folder or its `annotations` has Open Images' columns."""
    for file in [path] if path.is_file() else tables_below(path):
        if header_kind(file) in ("boxes", "labels"):
            return f"{file.name} with the columns ImageID and LabelName"
    return None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read boxes and labels of all subsets.

    Raises:
        DataError: what is wrong, all at once, with file and line.
    """
    if detect(path) is None:
        raise DataError(
            f"{path}: no CSV with the columns ImageID and LabelName was found.",
            hint="Give the folder that holds the CSV files, or `annotations` with them.",
        )
    return read_folder(path, options)

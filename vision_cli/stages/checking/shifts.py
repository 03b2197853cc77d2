"""Where splits differ, for the report: the finding `shift-properties` of `vision data check`, by the same rule."""

from __future__ import annotations

from typing import Any

from vision_cli import checks
from vision_cli.checks import photo_cache
from vision_cli.checks.request import Request
from vision_cli.core.dataset import Dataset
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project

_CHECK = "shift-properties"
_MOST_READ = 2_000
_FILES = 100


def findings(project: Project, dataset: Dataset, progress: Progress, *, remember: bool = True) -> list[dict[str, Any]]:
    """Return code, message, figure and files of each difference.

    Photos that `vision data check` measured are not read again. Where more than 2,000 would have to be read, what only
    pixels tell is left to that command, and that is a finding, too.

    Args:
        project: its `.vision` folder knows the photos of earlier calls.
        dataset: with the splits that training sees.
        progress: hears how many photos were read.
        remember: keep what was measured for the next call.
    """
    paths, folder = dataset.paths(), project.root / ".vision" / "checks"
    asked, left = Request(dataset), []
    if photo_cache.unknown(paths, folder) <= _MOST_READ:
        asked = Request(
            dataset,
            photos=photo_cache.facts(
                paths, lambda done, total: progress.step("looking at photos", done, total), folder, remember=remember
            ),
        )
    else:
        message = "Brightness, blur and colours of the splits were not compared yet: `vision data check` does that."
        left = [{"code": _CHECK, "message": message, "figure": float(len(paths)), "files": []}]
    names = dataset.images["path"].to_pylist()
    found = [
        {
            "code": each.check,
            "message": each.reason,
            "figure": each.figure,
            "files": [names[row] for row in each.where.images[:_FILES].tolist() if row >= 0],
        }
        for each in checks.find(_CHECK, asked)
    ]
    return [*found, *left]

"""`vision data diff`: two versions, or a version and the data as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.places import check_file
from vision_cli.stages.versioning import version_files, versions
from vision_cli.versions import contents
from vision_cli.versions.details import csv_bytes
from vision_cli.versions.diff import Diff, compare
from vision_cli.versions.matching import Side
from vision_cli.versions.names import HEAD, SHORT
from vision_cli.versions.store import Store


@dataclass(frozen=True, slots=True)
class DiffResult:
    """What differs between what.

    Attributes:
        before: id of the first version.
        after: id of the second; None is the data as it is now.
        of: the view or source of each.
        diff: the counts.
        csv: file that has the rows.
    """

    before: str
    after: str | None
    of: tuple[str, str]
    diff: Diff
    csv: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        ends = {"before": self.before, "after": self.after, "of": list(self.of), "csv": self.csv}
        return {**ends, "summary": self.diff.sentence(), **self.diff.as_json()}


def diff(project: Project, before: str | None, after: str | None, csv: Path | None, progress: Progress) -> DiffResult:
    """Compare two versions.

    Args:
        project: whose versions.
        before: name of the first; HEAD when None.
        after: name of the second; the present data of the first's view or source when None.
        csv: file to write the rows to.
        progress: hears of photos that are hashed.

    Raises:
        UsageError: no such version.
        DataError: a version is damaged, or the data is refused.
    """
    if csv is not None:
        check_file(csv, project=project)
    store = Store.of(project.root)
    first = versions.find(store, before or HEAD)
    second = None if after is None else versions.find(store, after)
    one = version_files.load(store, first.id, check=False).side
    if second is None:
        dataset = versions.read_target(project, first.of)
        found = contents.hashed(dataset, store.index, progress)
        other = Side(dataset, found.table["sha256"].slice(0, len(dataset)))
    else:
        other = version_files.load(store, second.id, check=False).side
    result, changes = compare(one, other)
    if csv is not None:
        files.write_bytes(csv, csv_bytes(one.dataset, other.dataset, changes))
    of = (first.of, first.of if second is None else second.of)
    return DiffResult(first.id, second.id if second else None, of, result, csv)


def title(result: DiffResult) -> str:
    """Return what is compared with what, for people."""
    after = result.after[:SHORT] if result.after else "now"
    return f"{result.before[:SHORT]} -> {after}"

"""Where results go: refused before the work when nothing can be written there, or when something would be lost there.

One rule for every command that writes a file or folder of the user's choice. What is not there may always be written.
A file that is there is replaced only if it is of a kind that vision writes (`_WRITTEN`), so never a photo, a project
file, a recipe in Python or weights; and never splits.json, classes.json, what a project names as a source, nor what
the command reads. A folder that is there is replaced only with --force, and never if it holds a project, a repository
or a source, or lies in a source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli import reports
from vision_cli.core.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from vision_cli.core.project import Project

_PROJECT = "vision.yaml"
_STORE = ".vision"
_VERSIONS = "/.vision/versions/"
_SPLITS = re.compile(r"splits(-.*)?\.json|classes\.json")
_REPORTS = frozenset((".html", ".htm", ".md", ".onnx", ".tflite"))
_WRITTEN = _REPORTS | {".csv", ".txt", ".json", ".jsonl", ".xml", ".parquet"}
_MAX_BYTES = 1 << 20
_Named = tuple[Path, str, Path]
_ANOTHER_FILE = "Choose another name."
_ANOTHER_FOLDER = "Choose another folder."


def check_folder(folder: Path) -> None:
    """Refuse a folder in which no file can be made; it need not exist yet.

    Raises:
        ResourceError: it is a file, leads through one, or is read-only.
    """
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise ResourceError(f"{folder}: cannot be written: {nearest} is not a folder.", hint=_ANOTHER_FOLDER)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ResourceError(f"{folder}: cannot be written: {nearest} is read-only.", hint=_ANOTHER_FOLDER)


def check_file(path: Path, *, project: Project | None = None, reads: Iterable[Path] = ()) -> None:
    """Refuse a file that cannot be made, or whose replacing would lose something.

    Args:
        path: of the file.
        project: the command's, where it has one; those above the file and above the working directory count, too.
        reads: files and folders that the command reads.

    Raises:
        UsageError: there is a folder of that name, or a file that is not to be replaced.
        ResourceError: its folder is none or read-only.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder.", hint="Give the path of a file.")
    check_folder(path.parent)
    if os.path.lexists(path):
        _check_replaced(path, _named(path, project), reads)


def check_files(*paths: Path | None, project: Project | None = None, reads: Iterable[Path] = ()) -> None:
    """Refuse files as `check_file` does, and two results for one file.

    Raises:
        UsageError: as `check_file`, a path goes through a file, or two paths mean one file.
        ResourceError: as `check_file`.
    """
    reports.check_targets(*paths)
    given, reads = [path for path in paths if path is not None], list(reads)
    for path in given:
        check_file(path, project=project, reads=reads)
    if len(set(map(_real, given))) < len(given):
        raise UsageError(f"{given[0]}: two results for one file.", hint="Give each a name of its own.")


def check_replaced_folder(folder: Path, *, project: Project | None = None) -> None:
    """Refuse to replace a folder that holds a project, a repository or a source, or that lies in a source.

    Raises:
        UsageError: saying which.
    """
    real = _real(folder)
    if not real.is_dir() or not any(real.iterdir()):
        return
    for name in (_PROJECT, _STORE, ".git"):
        if os.path.lexists(real / name):
            raise UsageError(f"{folder}: holds {name} and is never replaced.", hint=_ANOTHER_FOLDER)
    for root, name, source in _named(folder, project):
        if root.is_relative_to(real):
            raise UsageError(f"{folder}: holds the project {root} and is never replaced.", hint=_ANOTHER_FOLDER)
        inside = real.is_relative_to(source) and not root.is_relative_to(source)
        if source.is_relative_to(real) or inside:
            problem = "is" if source == real else "lies in" if inside else "holds"
            raise UsageError(
                f"{folder}: {problem} the project's source '{name}' and is never replaced.", hint=_ANOTHER_FOLDER
            )


def check_additions(folder: Path, *, project: Project | None = None) -> None:
    """Refuse a folder for new pictures that is, or lies in, a source of a project: they would become its photos.

    Raises:
        UsageError: it is.
        ResourceError: nothing can be written there.
    """
    check_folder(folder)
    real = _real(folder)
    for root, name, source in _named(folder, project):
        if real == source or (real.is_relative_to(source) and not root.is_relative_to(source)):
            raise UsageError(f"{folder}: lies in the project's source '{name}'.", hint=_ANOTHER_FOLDER)


def _check_replaced(path: Path, named: Iterable[_Named], reads: Iterable[Path]) -> None:
    real = _real(path)
    if real.exists() and not real.is_file():
        raise UsageError(f"{path}: is there, and no plain file.", hint=_ANOTHER_FILE)
    if path.suffix.lower() not in _WRITTEN or _SPLITS.fullmatch(path.name) or _VERSIONS in real.as_posix():
        raise UsageError(f"{path}: is there, and such a file is never replaced.", hint=_ANOTHER_FILE)
    if any(_holds(_real(each), real) for each in reads):
        raise UsageError(f"{path}: is what this command reads, and is not replaced.", hint=_ANOTHER_FILE)
    for root, name, source in named:
        beside = real.parent == root and source != real  # where the project's folder itself is a source
        if _holds(source, real) and not beside:
            raise UsageError(
                f"{path}: belongs to the project's source '{name}' and is never replaced.", hint=_ANOTHER_FILE
            )


def _holds(source: Path, real: Path) -> bool:
    """Return whether a file is a source, or one of its labels; reports in its folder are none of it."""
    return real == source or (real.is_relative_to(source) and real.suffix.lower() not in _REPORTS)


def _named(place: Path, project: Project | None) -> Iterator[_Named]:
    """Yield what the projects around a place name: their folder, a source, and a real path of it."""
    given = None if project is None or project.file is None else project
    if given is not None:
        sources = given.config.model_dump(by_alias=True)["data"]["sources"]
        yield from _paths(given.root, sources)
    files = {_real(file) for start in (_real(place).parent, Path.cwd()) if (file := _above(start)) is not None}
    for file in sorted(files):
        if given is None or file != _real(given.file or file):
            yield from _paths(file.parent, _declared(file))


def _above(start: Path) -> Path | None:
    return next((folder / _PROJECT for folder in (start, *start.parents) if (folder / _PROJECT).is_file()), None)


def _declared(file: Path) -> Any:
    """Return `data.sources` as it stands in a file that need not be a valid project."""
    from vision_cli.core import yaml_source

    with suppress(OSError, UnicodeDecodeError, UsageError, AttributeError):
        tree = yaml_source.parse(file.read_bytes()[:_MAX_BYTES].decode("utf-8-sig"), file.name).tree
        return tree.get("data", {}).get("sources", {})
    return {}


def _paths(root: Path, sources: Any) -> Iterator[_Named]:
    """Yield the project's own file, then each path of its sources; metadata may be `PATH`, `{path: PATH}` or a list."""
    yield root, _PROJECT, root / _PROJECT
    for name, source in sources.items() if isinstance(sources, dict) else ():
        if not isinstance(source, dict):
            continue
        facts = source.get("metadata")
        for each in (source, source.get("images"), *(facts if isinstance(facts, list) else [facts])):
            text = each.get("path") if isinstance(each, dict) else each
            if isinstance(text, str):
                yield root, str(name), _real(root / Path(text).expanduser())


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))

"""Remember in `splits.json` which photo went to which split, so that photos added later move no other.

The file stands beside vision.yaml and belongs into version control with it: which photos are test photos is a fact of
the project. One line a photo, sorted:

    {"version": 1, "seed": 7, "shares": {"test": 0.15, "train": 0.7, "val": 0.15}, "group": null,
     "photos": {"source/path": "train", ...}}

It holds photos of every view, and those that are gone, for they may come back. Photos that come with a split of their
own are not in it. A photo is known by its source's name and its path: a renamed source or a moved photo is a new photo.
Another seed, other shares or another group column deal everything anew.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.config import SplitConfig
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.project import Project
from vision_cli.views import split as splitting

FILE_NAME = "splits.json"
VERSION = 1
_MAX_BYTES = 1 << 28
_SHOWN = 10
_KEYS = ("version", "seed", "shares", "group", "photos")
_HINT = (
    "Settle a merge conflict, or take the file back from version control; "
    "if it is deleted, all photos are dealt anew and test photos of before may be learnt from."
)


@dataclass(frozen=True, slots=True)
class SplitMemory:
    """What was dealt, and how.

    Attributes:
        seed: of the dealing.
        shares: by split.
        group: the column whose equal values stay together; None for `group`, if the data has it.
        photos: split of each photo by `source/path`.
    """

    seed: int
    shares: Mapping[str, float]
    group: str | None
    photos: Mapping[str, str]

    def text(self) -> str:
        """Return the file: one line a photo, sorted."""
        document = {
            "version": VERSION,
            "seed": self.seed,
            "shares": dict(sorted(self.shares.items())),
            "group": self.group,
            "photos": dict(sorted(self.photos.items())),
        }
        return files.json_text(document) + "\n"


@dataclass(frozen=True, slots=True)
class Rule:
    """How photos are dealt, and where that is remembered.

    Attributes:
        config: shares, group and seed.
        file: its name, in the project's root.
    """

    config: SplitConfig
    file: str = FILE_NAME


@dataclass(frozen=True, slots=True)
class _Dealt:
    """Photos with a split each, what was known before, and what is to be remembered now."""

    dataset: Dataset
    known: SplitMemory | None
    now: SplitMemory | None


def split(project: Project, dataset: Dataset, task: str, *, remember: bool, rule: Rule | None = None) -> Dataset:
    """Return the photos with a split each: their own, the remembered one, or one that is dealt and then remembered.

    Args:
        project: splits.json stands in its root.
        dataset: photos with or without a split of their own.
        task: `classify`, `multilabel` or `regress`.
        remember: write what was dealt anew; without, nothing is written.
        rule: how photos are dealt; None takes the project's `data.split`.

    Raises:
        DataError: splits.json is broken.
    """
    rule = rule or Rule(project.config.data.split)
    path = project.root / rule.file
    dealt = _deal(path, rule.config, dataset, task)
    if not remember or dealt.now == dealt.known:
        return dealt.dataset
    try:
        with _alone(project.root):
            if read(path) != dealt.known:  # another command was faster
                dealt = _deal(path, rule.config, dataset, task)
            if dealt.now is not None and dealt.now != dealt.known:
                files.write_text(path, dealt.now.text())
    except ResourceError as error:
        note = f"{error.message} The split is not remembered: photos that are added may move others."
        return _noted(dealt.dataset, note)
    return dealt.dataset


def read(path: Path) -> SplitMemory | None:
    """Return what a file remembers; None without a file.

    Raises:
        DataError: it cannot be read, is no JSON, or is not what `SplitMemory.text` writes.
    """
    if not path.exists():
        return None
    text = files.utf8(files.read_limited(path, max_bytes=_MAX_BYTES, what="the remembered split"), where=str(path))
    return parse(text, where=str(path))


def parse(text: str, *, where: str) -> SplitMemory:
    """Return what a text of splits.json remembers.

    Raises:
        DataError: no JSON, a photo named twice, or a part is missing, foreign or of another kind.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}:{error.lineno}: not JSON: {error.msg}.", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}.", hint=_HINT) from error
    if isinstance(document, dict) and document.get("version", VERSION) != VERSION:
        version = json.dumps(document["version"])[:20]
        raise DataError(
            f"{where}: has version {version}, and this program knows {VERSION}.", hint="Install a newer vision-cli."
        )
    problems = list(_problems(document))
    if problems:
        raise DataError(f"{where}: {len(problems)} problems.", details=problems[:_SHOWN], hint=_HINT)
    return SplitMemory(document["seed"], document["shares"], document["group"], document["photos"])


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{name!r} is there twice")
    return found


def _problems(document: Any) -> Iterator[str]:
    """Tell everything that `SplitMemory.text` would not have written."""
    if not isinstance(document, dict):
        yield f"expected an object with {', '.join(_KEYS)}"
        return
    yield from (f"{key}: is missing" for key in _KEYS if key not in document)
    yield from (f"{key}: unknown key" for key in document if key not in _KEYS)
    if type(document.get("seed", 0)) is not int:
        yield "seed: expected a whole number"
    if not isinstance(document.get("group"), str | None):
        yield "group: expected a column's name or null"
    shares, photos = document.get("shares", {}), document.get("photos", {})
    if not isinstance(shares, dict) or any(type(share) not in (int, float) for share in shares.values()):
        yield "shares: expected a number for each split"
    if not isinstance(photos, dict):
        yield "photos: expected a split for each photo"
        return
    known = ", ".join(SPLITS)
    yield from (f"{key}: {name!r} is no split ({known})" for key, name in photos.items() if name not in SPLITS)


def _deal(path: Path, config: SplitConfig, dataset: Dataset, task: str) -> _Dealt:
    pool = splitting.dealt_photos(dataset, config)
    if not pool.any():
        return _Dealt(splitting.split(dataset, config, task), None, None)
    known = read(path)
    changes = _changes(known, config) if known else []
    remembered = {} if known is None or changes else known.photos
    result = splitting.split(dataset, config, task, remembered)
    pairs = zip(splitting.photo_keys(result), result.splits().tolist(), pool.tolist(), strict=True)
    photos = {key: name for key, name, dealt in pairs if dealt}
    now = SplitMemory(config.seed, _shares(config), config.group, {**remembered, **photos})
    new = sum(key not in remembered for key in photos)
    if changes:
        result = _noted(result, f"All photos are dealt anew: {path.name} was made with {', '.join(changes)}.")
    elif remembered and new:
        result = _noted(result, f"{new} new photos were shared out; {path.name} keeps the others where they were.")
    return _Dealt(result, known, now)


def _shares(config: SplitConfig) -> dict[str, float]:
    return {"train": config.train, "val": config.val, "test": config.test}


def _changes(known: SplitMemory, config: SplitConfig) -> list[str]:
    """Tell what was otherwise when the file was made."""
    shares = _shares(config)
    pairs: list[tuple[str, object, object]] = [("seed", known.seed, config.seed), ("group", known.group, config.group)]
    pairs += [(name, known.shares.get(name, 0), shares[name]) for name in SPLITS]
    return [f"{name} {_word(was)} instead of {_word(now)}" for name, was, now in pairs if was != now]


def _word(value: object) -> str:
    return "none" if value is None else str(value)


def _noted(dataset: Dataset, note: str) -> Dataset:
    return replace(dataset, notes=(*dataset.notes, note))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let a second writer of the file wait; readers need not, for the file appears whole."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

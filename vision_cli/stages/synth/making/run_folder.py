"""The folder of a run: what it was made with, what is made, and one writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import formats
from vision_cli.core import files
from vision_cli.core.errors import ResourceError, UsageError
from vision_cli.stages.searching.sameness import differences
from vision_cli.stages.synth.asking.asked import Shard
from vision_cli.stages.synth.making import records
from vision_cli.stages.synth.making.maker import PHOTOS
from vision_cli.stages.synth.making.records import Records

STATE = "synth.json"
LOG = "photos.jsonl"
"""One line a photo that is made, with every parameter."""

SAME_BACKGROUNDS = (
    "All parts need the same photos and, with --check-clean, the same detector and the same "
    "synth/clean/backgrounds.csv: copy that file to where parts are made, then make the parts that differ anew."
)

PICTURES = ("preview.jpg", "steps.jpg")
PAGE = "report.html"
_SHARD_LOG = re.compile(r"photos-\d+-of-\d+\.jsonl")
_PHOTO = re.compile(r"\d{6,}\.jpg|\.\d{6,}\.jpg\.part")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run's photos are.

    Attributes:
        path: of the folder.
        shard: which part of the photos is made; None is the whole.
    """

    path: Path
    shard: Shard | None = None

    @property
    def log(self) -> Path:
        """The log of this part."""
        return self.path / (LOG if self.shard is None else f"photos-{self.shard[0]}-of-{self.shard[1]}.jsonl")

    def logs(self) -> list[Path]:
        """Return all logs that are there, the whole's first."""
        found = sorted(path for path in self.path.glob("*.jsonl") if _SHARD_LOG.fullmatch(path.name))
        return [path for path in (self.path / LOG, *found) if path.is_file()]

    def check(self, fingerprint: Mapping[str, Any]) -> None:
        """Refuse a folder of somebody else, or of other settings.

        Raises:
            UsageError: saying what is there.
        """
        if not os.path.lexists(self.path):
            return
        if not self.path.is_dir():
            raise UsageError(f"{self.path}: is a file.", hint="Choose a folder: --out FOLDER.")
        state = self.state()
        foreign = sorted(self._foreign(state))
        if foreign:
            raise UsageError(
                f"{self.path}: holds what this command did not write.",
                details=foreign[:_SHOWN],
                hint="Choose another folder: --out FOLDER.",
            )
        different = differences(state.get("settings", fingerprint), fingerprint)
        if different:
            raise UsageError(
                f"{self.path}: its photos were made with other settings.",
                details=different[:_SHOWN],
                hint=self._way_out(different),
            )

    def _way_out(self, lines: Iterable[str]) -> str:
        if self.shard is not None and any(line.startswith("backgrounds:") for line in lines):
            return SAME_BACKGROUNDS
        return "Choose another folder with --out, take the old settings back, or delete this one."

    def _foreign(self, state: Mapping[str, Any]) -> Iterator[str]:
        known = {PHOTOS, *state.get("formats", ())} if state else set()
        known |= {f".{name}" for name in known}
        for entry in self.path.iterdir():
            ours = entry.name in (STATE, PAGE, *PICTURES) or entry.name in known or entry.name.endswith(".part")
            log = bool(state) and (entry.name == LOG or _SHARD_LOG.fullmatch(entry.name))
            if not (ours or log):
                yield entry.name
        if state and (self.path / PHOTOS).is_dir():
            names = (entry.name for entry in os.scandir(self.path / PHOTOS))
            yield from (f"{PHOTOS}/{name}" for name in names if not _PHOTO.fullmatch(name))

    def state(self) -> dict[str, Any]:
        """Return what the folder says of itself; nothing when it says nothing."""
        with suppress(OSError, ValueError):
            found = json.loads((self.path / STATE).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    def begin(self, fingerprint: Mapping[str, Any]) -> None:
        """Make the folder and write down what its photos are made with."""
        with files.disk_errors(self.path):
            (self.path / PHOTOS).mkdir(parents=True, exist_ok=True)
        if not self.state():
            files.write_json(self.path / STATE, {"settings": fingerprint, "formats": []})

    def add_format(self, name: str) -> None:
        """Write down that the folder `name` will be ours."""
        state = self.state()
        if name not in state["formats"]:
            files.write_json(self.path / STATE, {**state, "formats": [*state["formats"], name]})

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the log of this part, and those of all parts when it is the whole.

        Raises:
            ResourceError: another process writes there.
        """
        with files.disk_errors(self.log):
            self.log.touch()
        with ExitStack() as stack:
            for path in self.logs() if self.shard is None else [self.log]:
                stack.enter_context(locked(path))
            yield

    def made(self) -> Records:
        """Return what is known of the photos that are there, whole."""
        return records.read(self.logs(), self.path / PHOTOS)

    def gather(self, found: Records) -> None:
        """Write the log anew in the order of the photos, and take those of the parts away: `found` has had its day."""
        parts = [path for path in self.logs() if path.name != LOG]
        files.write_chunks(self.path / LOG, (line + b"\n" for line in found.lines()))
        for path in parts:
            path.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file that is there.

    Raises:
        ResourceError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"{path.parent}: another run is writing there ({path.name})."
            raise ResourceError(text, hint="Wait for it, or end it.") from error
        except OSError:  # a network file system without locks
            pass
        yield
    finally:
        os.close(descriptor)


_NEEDED = {
    "detect": (frozenset({"box", "mask", "polygons"}), "boxes", "coco, yolo, voc, kitti"),
    "instance": (frozenset({"box", "mask", "polygons"}), "boxes", "coco, yolo, voc, kitti"),
    "semantic": (frozenset({"mask", "polygons"}), "masks", "masks, panoptic, cityscapes, coco"),
    "panoptic": (frozenset({"mask", "polygons"}), "masks", "panoptic, cityscapes, coco"),
    "classify": (frozenset({"class"}), "classes of photos", "imagefolder, csv, webdataset"),
}
"""By task: what a format must hold, one of them; what to call that; and formats that do."""


def check_format(name: str, task: str) -> None:
    """Refuse a format that is not written, or that does not hold what a task's labels are.

    Raises:
        UsageError: it is such a one.
    """
    found = formats.FORMATS.load(name)
    if not hasattr(found, "write"):
        raise UsageError(f"the format '{name}' is only read.", hint="`vision data convert --help` lists formats.")
    needed, what, others = _NEEDED[task]
    if not needed & found.CARRIES:
        raise UsageError(f"the format '{name}' holds no {what}.", hint=f"Take {others} ...")

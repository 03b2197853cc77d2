"""`--check-clean`: set backgrounds aside that seem to show an object of the class list already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.imaging import overlay, sheets
from vision_cli.imaging.write import write_photo
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.cleaning import clean_list, sightings
from vision_cli.stages.synth.cleaning.clean_list import ALLOW, ASIDE, DENY, Decisions
from vision_cli.stages.synth.cleaning.sightings import Found, Photos, Seen
from vision_cli.synth.analysis import read_background

FOLDER = Path("synth") / "clean"
"""Below the project."""
LIST, PICTURE = "backgrounds.csv", "aside.jpg"

_SHOWN, _PHOTO_PX, _COLUMNS, _QUALITY = 60, 260, 4, 86


@dataclass(frozen=True, slots=True)
class Check:
    """How to look.

    Attributes:
        least: score from which on a match counts, 0 to 1.
        detector: a run, model folder or file that looks as well; None is none.
        workers: threads; None is one a core.
        dry_run: look at nothing and write nothing; only the list that is there counts.
    """

    least: float
    detector: Path | None = None
    workers: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """A background that is not used.

    Attributes:
        photo: its path below the folder.
        sha256: of its file.
        seen: what it seems to show; None where the user's list says so.
    """

    photo: str
    sha256: str
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What came of it.

    Attributes:
        looked_at: backgrounds in all.
        aside: those that are not used.
        allowed: those that the user's list lets pass.
        list: the file.
        picture: of what is set aside; None where there is none.
    """

    looked_at: int
    aside: tuple[Aside, ...]
    allowed: int
    list: Path
    picture: Path | None

    @property
    def note(self) -> str:
        """Return one sentence."""
        if not self.aside:
            return f"None of {self.looked_at} backgrounds seems to show one of the objects."
        where = f"; look at {self.picture}" if self.picture else ""
        told = f"{len(self.aside)} of {self.looked_at} backgrounds are set aside"
        return f"{told}: they seem to show one of the objects, or the list says so{where}, and correct {self.list}."


def clean(asked: Asked, project: Project, check: Check, progress: Progress) -> tuple[Asked, Cleaned]:
    """Return the run without the backgrounds that seem to show an object, and say which these are.

    Raises:
        UsageError: the detector is of no use, or the list is none of ours.
        DataError: a decision of the list is unknown, a photo cannot be read, or no background is left.
        ResourceError: the disk refuses.
    """
    folder = project.root / FOLDER
    lines = clean_list.read(folder / LIST)
    decisions = Decisions.of(lines)
    contents = sightings.contents_of(asked.folder, asked.backgrounds)
    said = {name: decisions.on(name, sha) for name, sha in contents.items()}
    listed = {line.values["sha256"] for line in lines if check.dry_run and line.decision == ASIDE}
    found = {} if check.dry_run else _look(asked, project, check, contents, progress)
    aside = [
        Aside(name, sha, found.get(sha))
        for name, sha in contents.items()
        if said[name] == DENY or (said[name] != ALLOW and (sha in found or sha in listed))
    ]
    aside.sort(key=lambda each: (-(each.seen.score if each.seen else 2.0), each.photo))
    if not check.dry_run:
        files.write_text(folder / LIST, clean_list.text_of(lines, [_row(each) for each in aside if each.seen]))
    picture = None if check.dry_run else _picture(asked.folder, aside, folder / PICTURE)
    allowed = sum(each == ALLOW for each in said.values())
    cleaned = Cleaned(len(contents), tuple(aside), allowed, folder / LIST, picture)
    return _without(asked, cleaned), cleaned


def _look(
    asked: Asked, project: Project, check: Check, contents: Mapping[str, str], progress: Progress
) -> dict[str, Seen]:
    """Return what each background most seems to show, by its SHA-256; those that seem to show nothing are not in it."""
    photos = Photos(asked.folder, {sha: name for name, sha in contents.items()}, asked.cache)
    rounds: list[Found] = []
    if check.detector is not None:  # first, because it may be refused and the other takes long
        rounds.append(sightings.by_detector(photos, check.detector, asked.book.classes, project, progress))
    matched = sightings.by_matching(photos, asked.book, sightings.workers_of(check.workers), progress)
    rounds.append({sha: tuple(each for each in seen if each.score >= check.least) for sha, seen in matched.items()})
    every = {sha: [each for one in rounds for each in one[sha]] for sha in photos.contents}
    return {sha: max(seen, key=lambda each: each.score) for sha, seen in every.items() if seen}


def _without(asked: Asked, cleaned: Cleaned) -> Asked:
    out = {each.photo for each in cleaned.aside}
    kept = tuple(name for name in asked.backgrounds if name not in out)
    if not kept:
        raise DataError(
            f"{asked.folder}: all {cleaned.looked_at} backgrounds are set aside: none is left.",
            hint=f"Look at {cleaned.picture or cleaned.list}, write 'allow' into {cleaned.list}, or give other photos.",
        )
    return replace(asked, backgrounds=kept, notes=(*asked.notes, cleaned.note))


def _row(each: Aside) -> dict[str, Any]:
    seen = each.seen
    if seen is None:
        return {}
    left, top, width, height = seen.box
    return {
        "decision": ASIDE,
        "photo": each.photo,
        "reason": seen.reason,
        "class": seen.label,
        "variant": seen.variant,
        "score": seen.score,
        "left": left,
        "top": top,
        "width": width,
        "height": height,
        "sha256": each.sha256,
    }


def _picture(folder: Path, aside: Sequence[Aside], target: Path) -> Path | None:
    """Draw what was found, the surest first."""
    shown = [each for each in aside if each.seen is not None][:_SHOWN]
    if not shown:
        target.unlink(missing_ok=True)
        return None
    tiles = [_tile(folder / each.photo, each, each.seen) for each in shown if each.seen is not None]
    more = f", the {len(shown)} surest of {len(aside)}" if len(aside) > len(shown) else ""
    title = f"Backgrounds that seem to show an object{more}"
    write_photo(target, sheets.sheet(title, tiles, sheets.Style(_COLUMNS, _PHOTO_PX)), quality=_QUALITY)
    return target


def _tile(path: Path, each: Aside, seen: Seen) -> sheets.Tile:
    photo = sheets.fitted(read_background(path).photo, _PHOTO_PX)
    height, width = photo.shape[:2]
    left, top, w, h = seen.box
    box = (left * width, top * height, (left + w) * width, (top + h) * height)
    drawn = overlay.with_objects(photo, [overlay.Marked(box, seen.label, 0)])
    what = f"{seen.label} {seen.variant}".strip()
    words = [sheets.Words(f"{seen.score:.2f} {what} ({seen.reason})"), sheets.Words(each.photo)]
    return sheets.Tile([drawn], words)

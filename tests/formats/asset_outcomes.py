"""What becomes of a file or folder that nobody of this project made: one line of words.

`python tests/formats/asset_outcomes.py ../shared/data` prints a new table for `asset_table.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vision_cli import formats
from vision_cli.core.errors import VisionError
from vision_cli.formats import FORMATS, ReadOptions

NOTHING = "nothing fits"
MADE_ELSEWHERE = "datumaro_assets/tests/assets"
_PHOTOS = {".jpg", ".jpeg", ".png", ".bmp"}
_SHOWN = 60


def outcome(place: Path) -> str:
    """Return format, photos, annotations and classes; or why it is refused."""
    found = formats.detect(place)
    if len(found) != 1:
        return "ambiguous: " + ", ".join(name for name, _ in found) if found else NOTHING
    name = found[0][0]
    try:
        dataset = FORMATS.load(name).read(place, ReadOptions("data"))
    except VisionError as error:
        if error.exit_code not in (2, 3) or str(place if place.is_dir() else place.parent) not in error.message:
            raise
        return f"{name} refused: {reason(place, error)}"
    return f"{name} {len(dataset)} {dataset.annotations.num_rows} {len(dataset.classes)}"


def reason(place: Path, error: VisionError) -> str:
    """Return the message without the place."""
    parent = place if place.is_dir() else place.parent
    text = error.message.replace(str(place), "").replace(str(parent), "")
    return re.sub(r"^[/: .]*", "", text)[:_SHOWN].strip()


def folders(root: Path) -> Iterator[Path]:
    """Yield the folders of sets, and two levels below."""
    for base in (root, root / MADE_ELSEWHERE):
        for top in sorted(base.iterdir()):
            if top.is_dir() and top.name != "datumaro_assets":
                yield top
                yield from sorted(
                    path for path in top.rglob("*") if path.is_dir() and len(path.relative_to(top).parts) <= 2
                )


def files(root: Path) -> Iterator[Path]:
    """Yield every file that is no photo and no label file of a single photo."""
    for path in sorted(root.rglob("*")):
        alone = path.suffix in (".xml", ".txt") and MADE_ELSEWHERE not in path.as_posix()
        if path.is_file() and path.suffix.lower() not in _PHOTOS and not alone:
            yield path


def table(root: Path) -> dict[str, str]:
    """Return the outcome of all of them that any format fits."""
    found = {path.relative_to(root).as_posix(): outcome(path) for path in (*folders(root), *files(root))}
    return {name.replace(f"{MADE_ELSEWHERE}/", "@"): text for name, text in found.items() if text != NOTHING}


if __name__ == "__main__":
    for name, text in table(Path(sys.argv[1])).items():
        sys.stdout.write(f"{name} | {text}\n")

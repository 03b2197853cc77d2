"""Draw the sample data of the project.

    python sample_data/make.py [--out DIR] [--only PART] [--check]

Needs numpy, Pillow and OpenCV. The same seed gives the same pictures.
"""

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from drawing.logos import draw_logos
from drawing.scenes import SCENES, draw_scene
from drawing.seasons import SEASONS, Photo, draw_photo
from PIL import Image

SEED = 7
SPLITS = {"train": 60, "val": 24, "test": 40}
HERE = Path(__file__).resolve().parent

_LIMIT_BYTES = 5_000_000
# Mean difference of two decoded files, 0..255: what JPEG libraries and CPUs may disagree about.
_TOLERANCE = 2.0

Picture = tuple[str, bytes]


def season_plan() -> Iterator[tuple[str, str, str, int]]:
    """Yield (path below `seasons/`, split, season, index) of every photo."""
    index = 0
    for split, count in SPLITS.items():
        for index_in_split in range(count):
            for season in SEASONS:
                number = index + index_in_split
                yield f"{split}/{season}/{season}_{number:03d}.jpg", split, season, number
        index += count


def encode_jpeg(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], quality: int) -> bytes:
    """Return the bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def season_files() -> Iterator[Picture]:
    """Draw the photos of the summer-or-winter set, then its two tables."""
    labels, shares = [("path", "label", "split")], [("path", "value", "split")]
    for path, split, season, index in season_plan():
        photo: Photo = draw_photo(SEED, index, season)
        yield f"seasons/{path}", encode_jpeg(photo.shot.rgb, 84)
        labels.append((f"seasons/{path}", "|".join(photo.labels), split))
        shares.append((f"seasons/{path}", f"{photo.snow_share:.4f}", split))
    yield "seasons_labels.csv", _table(labels)
    yield "seasons_snow.csv", _table(shares)


def logo_files() -> Iterator[Picture]:
    """Draw the logos, PNG with alpha."""
    for name, image in draw_logos():
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        yield f"logos/{name}.png", buffer.getvalue()


def scene_files() -> Iterator[Picture]:
    """Draw the scenes that logos can be put into."""
    for name in SCENES:
        yield f"scenes/{name}.jpg", encode_jpeg(draw_scene(SEED, name), 86)


PARTS: dict[str, Callable[[], Iterator[Picture]]] = {
    "seasons": season_files,
    "logos": logo_files,
    "scenes": scene_files,
}


def write(out: Path, parts: Iterable[str]) -> int:
    """Write the files of `parts` below `out`; return their bytes."""
    total = 0
    for part in parts:
        for name, data in PARTS[part]():
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            total += len(data)
    return total


def differences(out: Path, parts: Iterable[str]) -> Iterator[str]:
    """Draw again and yield one line a file below `out` that is missing or another picture."""
    for part in parts:
        for name, data in PARTS[part]():
            target = out / name
            if not target.is_file():
                yield f"{target}: missing"
            elif not is_same(target.read_bytes(), data):
                yield f"{target}: differs from what this script draws"


def is_same(found: bytes, drawn: bytes) -> bool:
    """Tell whether two files show the same, but for the rounding of an encoder."""
    if found == drawn:
        return True
    if not drawn.startswith((b"\xff\xd8", b"\x89PNG")):
        return False
    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), np.int16) for data in (found, drawn))
    return a.shape == b.shape and float(np.abs(a - b).mean()) < _TOLERANCE


def _table(rows: list[tuple[str, str, str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def main() -> int:
    """Write or check the sample data; return the exit code."""
    parser = argparse.ArgumentParser(description="Draw the sample data of the project.")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write (default: beside this script)")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="one part only; may be repeated")
    parser.add_argument("--check", action="store_true", help="write nothing; compare the files with what is drawn")
    options = parser.parse_args()
    parts = options.only or list(PARTS)
    if options.check:
        found = list(differences(options.out, parts))
        sys.stdout.write("".join(f"{line}\n" for line in found) or "All files are what this script draws.\n")
        return 4 if found else 0
    total = write(options.out, parts)
    sys.stdout.write(f"{options.out}: {total / 1e6:.2f} MB written.\n")
    return 0 if total <= _LIMIT_BYTES else 4


if __name__ == "__main__":
    sys.exit(main())

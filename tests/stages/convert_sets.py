"""Small data sets written by hand, for conversions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

KITTI = {
    "000001": "Car 0.00 0 -1.57 10.50 4.25 30.50 14.25 1.5 1.6 3.9 -2.1 1.7 12.0 -1.7\n"
    "Pedestrian 0.30 2 0.20 40.00 10.00 52.00 40.00 1.7 0.6 0.8 1.2 1.6 9.0 0.3\n"
    "DontCare -1 -1 -10 50.0 0.0 60.0 5.0 -1 -1 -1 -1000 -1000 -1000 -10\n",
    "000002": "Car 0.00 1 1.57 5.00 5.00 25.00 25.00 1.5 1.6 3.9 2.1 1.7 20.0 1.6\n",
    "000003": "",
}


def photo(path: Path, size: tuple[int, int] = (64, 48), colour: int = 90) -> None:
    """Write one photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (colour, 120, 30)).save(path, "JPEG")


def kitti(root: Path) -> Path:
    """Write a KITTI folder of three photos: 2 cars, 1 pedestrian, 1 region nobody labelled."""
    for number, (name, text) in enumerate(KITTI.items()):
        photo(root / "training" / "image_2" / f"{name}.jpg", colour=number)
        label = root / "training" / "label_2" / f"{name}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(text)
    return root


def tree(folder: Path) -> dict[str, str]:
    """Return a hash of each file below a folder, links by what they name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def names(folder: Path) -> list[str]:
    """Return what stands in a folder."""
    return sorted(path.name for path in folder.iterdir())

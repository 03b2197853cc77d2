"""`vision synth logos`: photos a second and a core, against the floor of decoding one JPEG and encoding one.

Backgrounds are analysed before the clock starts, as their analysis is cached in a run; reading the photo and its
analysis once a scene, rendering every photo with everything on, encoding and writing it are in. CPU seconds of one
process. The bar: within 6 times the floor. The first pass over a new background is printed beside it (bar: 1 second).

    python bench/synth.py [photos]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth import cache, logos
from vision_cli.synth.analysis import analyse, read_background
from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.render import render
from vision_cli.synth.scene import AnalysisSettings, Background, Scene
from vision_cli.synth.settings import RenderSettings

SHARED = Path(__file__).parents[2] / "shared" / "data"
COINS = SHARED / "logos" / "crypto_color_128"
PHOTOS = SHARED / "coco128_train" / "images" / "train2017"
BACKGROUNDS, SIZE, BAR = 16, (640, 480), 6.0
_ROUNDS = 60


def cpu_of(work: Callable[[], object], times: int) -> float:
    """Return CPU seconds of one call, after one that does not count."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def encoded(photo: NDArray[np.uint8], quality: int) -> bytes:
    """Return a photo as JPEG."""
    return cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ].tobytes()


def backgrounds(folder: Path) -> list[Path]:
    """Write photos of the very size, cut from the real ones."""
    found = []
    for path in sorted(PHOTOS.glob("*.jpg"))[:BACKGROUNDS]:
        photo = read_background(path).photo
        scale = max(SIZE[0] / photo.shape[1], SIZE[1] / photo.shape[0])
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: SIZE[1], : SIZE[0]]
        found.append(folder / path.name)
        found[-1].write_bytes(encoded(photo, 92))
    return found


def measure(photos: int, folder: Path) -> dict[str, float]:
    """Return CPU figures of one run."""
    cv2.setNumThreads(1)
    paths, book, settings = backgrounds(folder), logos.load(COINS), RenderSettings()
    read = [read_background(path) for path in paths]
    first = cpu_of(lambda: [analyse(each, AnalysisSettings()) for each in read[:4]], 1) / 4
    for each in read:
        cache.scene_of(each, AnalysisSettings(), folder / "cache")
    content = np.frombuffer(paths[0].read_bytes(), np.uint8)
    floor = cpu_of(lambda: cv2.imdecode(content, cv2.IMREAD_COLOR_RGB), _ROUNDS)
    floor += cpu_of(lambda: encoded(read[0].photo, 92), _ROUNDS)

    seen: dict[int, tuple[Background, Scene]] = {}

    def one(index: int) -> None:
        lot = Lot(1, index, settings.scene_photos)
        which = int(lot.rng(Purpose.BACKGROUND).integers(len(paths)))
        if lot.group not in seen:
            background = read_background(paths[which])
            seen.clear()
            seen[lot.group] = background, cache.scene_of(background, AnalysisSettings(), folder / "cache")
        made = render(*seen[lot.group], book, settings, lot)
        (folder / "photo.jpg").write_bytes(encoded(made.photo, made.jpeg_quality))

    for index in range(8):
        one(index)
    start = time.process_time()
    for index in range(photos):
        one(index)
    seconds = (time.process_time() - start) / photos
    return {
        "photos_a_second": round(1 / seconds, 1),
        "floor_photos_a_second": round(1 / floor, 1),
        "times_the_floor": round(seconds / floor, 2),
        "first_pass_s": round(first, 3),
    }


def main() -> None:
    """Print the figures, as a line for people and one of JSON."""
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as name:
        found = measure(photos, Path(name))
    verdict = "within" if found["times_the_floor"] <= BAR else "ABOVE"
    print(
        f"{found['photos_a_second']} photos a second a core, floor {found['floor_photos_a_second']}: "
        f"{found['times_the_floor']} times the floor, {verdict} {BAR:.0f}; a new background {found['first_pass_s']} s"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()

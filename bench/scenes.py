"""`vision synth`: the first pass over a new background, step by step. CPU seconds of one process.

The bar is one second a photo of 640 x 480 with the estimator `geometric`. The floor, printed in the same run, is what a
photo costs anyway: decoding one JPEG of that size and encoding one.

    python bench/scenes.py [photos]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from vision_cli.synth import analysis, cache, planes, segments, traits
from vision_cli.synth.depth import geometric
from vision_cli.synth.depth.request import DepthRequest
from vision_cli.synth.scene import AnalysisSettings, focal_of_view

PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "coco128_train" / "images"
SIZE, BAR_S = (640, 480), 1.0
T = TypeVar("T")
spent: dict[str, list[float]] = {}


def timed(name: str, work: Callable[[], T]) -> T:
    """Do something and note its CPU seconds."""
    start = time.process_time()
    answer = work()
    spent.setdefault(name, []).append(time.process_time() - start)
    return answer


def photo_of(path: Path) -> bytes:
    """Return a photo of the very size, cut from a real one, as JPEG."""
    photo = np.asarray(cv2.imread(str(path)))
    scale = max(SIZE[0] / photo.shape[1], SIZE[1] / photo.shape[0])
    whole = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", whole[: SIZE[1], : SIZE[0]], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def one(path: Path, settings: AnalysisSettings) -> None:
    """Analyse one photo step by step, then whole, then out of the cache."""
    content = np.frombuffer(path.read_bytes(), np.uint8)
    decoded = timed("floor: decode", lambda: cv2.imdecode(content, cv2.IMREAD_COLOR))
    timed("floor: encode", lambda: cv2.imencode(".jpg", decoded))
    background = timed("read", lambda: analysis.read_background(path))
    photo, focal = background.photo, focal_of_view(SIZE[0], settings.fov_deg)
    every = timed("segments", lambda: segments.divide(photo))
    request = DepthRequest(background, every, focal, settings)
    depth = timed("depth (geometric)", lambda: geometric.estimate(request)).depth
    kept, _ = segments.keep(every, settings)
    timed("planes", lambda: planes.find(kept, depth, focal, settings))
    timed("traits", lambda: [f(photo) for f in (traits.shading, traits.noise_sigma, traits.blur_sigma, traits.white)])
    folder = path.parent / "kept"
    timed("first pass, whole", lambda: cache.scene_of(analysis.read_background(path), settings, folder))
    timed("from the cache", lambda: cache.scene_of(background, settings, folder))


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as name:
        for index, source in enumerate(sorted(PHOTOS.rglob("*.jpg"))[:wanted]):
            path = Path(name) / f"{index}.jpg"
            path.write_bytes(photo_of(source))
            one(path, AnalysisSettings())
        stored = [path.stat().st_size / 1000 for path in (Path(name) / "kept").iterdir()]
    floor = sum(float(np.mean(spent[key])) for key in ("floor: decode", "floor: encode"))
    for key, each in spent.items():
        print(f"{key:<20} {1000 * np.mean(each):7.1f} ms  {np.mean(each) / floor:6.1f} x the floor")
    whole = float(np.mean(spent["first pass, whole"]))
    print(f"{len(stored)} photos, {np.mean(stored):.0f} kB a scene ({max(stored):.0f} at most)")
    print(f"{'within' if whole < BAR_S else 'BEYOND'} the bar of {BAR_S:.0f} s")


if __name__ == "__main__":
    main()

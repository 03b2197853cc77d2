"""`vision synth logos --check-clean`: how many logos that are there it finds, and how many photos it suspects in vain.

Logos of two lists (24 coins, six ranks of cards in four suits) are put on photos of COCO by our own renderer, one a
photo, held before the scene at three sizes and any tilt up to 60 degrees; found is what overlaps the logo's box (IoU
0.3 or more) with a score from the threshold on. False alarms are photos as they are with any such score; they show none
of these logos. The threshold is the project file's default; it was chosen as what at most 2 % of one half of the photos
exceed, and the other half reports.

    python bench/clean.py [planted photos of each list] [photos as they are] [coins|cards]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vision_cli.core.synth_config import LogosConfig
from vision_cli.synth import cache, logos
from vision_cli.synth.analysis import read_background
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.lot import Lot
from vision_cli.synth.render import render
from vision_cli.synth.scene import AnalysisSettings
from vision_cli.synth.settings import RenderSettings
from vision_cli.synth.spotting.spot import Wanted, overlap, spot

SHARED = Path(__file__).parents[2] / "shared" / "data"
PHOTOS = sorted((SHARED / "coco128_train" / "images" / "train2017").glob("*.jpg"))
COINS, SIZES_PX, STEEP_DEG, SAME, MOST_ALARMS = 24, (40, 72, 140), 35.0, 0.3, 0.02
Row = dict[str, Any]


def books() -> dict[str, LogoBook]:
    """Return the two lists."""
    every = logos.load(SHARED / "logos" / "crypto_color_128").logos
    drawn = sorted(np.random.default_rng(0).choice(len(every), COINS, replace=False))
    return {"coins": LogoBook(tuple(every[at] for at in drawn)), "cards": logos.load(SHARED / "cards" / "templates")}


def settings(size_px: int) -> RenderSettings:
    """Return what puts one logo of a size before the scene."""
    return RenderSettings(
        per_photo=(1, 1),
        distractors=(0, 0),
        negatives=0,
        size_px=(size_px, size_px),
        loose=1.0,
        loose_tilt_deg=60,
        curvature=0,
        looks={"plain": 0.7, "print": 0.3},
        occluders=0,
        visibility_least=0.9,
        mirror=False,
    )


def rows(name: str, book: LogoBook, counts: tuple[int, int], folder: Path) -> Iterator[Row]:
    """Yield a row for each photo that was looked at."""
    wanted = Wanted.of(book.logos)
    for index in range(max(counts)):
        background = read_background(PHOTOS[index % len(PHOTOS)])
        if index < counts[1]:
            start = time.process_time()
            found = spot(background.photo, wanted)
            seconds = time.process_time() - start
            best = max((each.score for each in found), default=0.0)
            yield {"list": name, "clean": True, "half": index % 2, "score": best, "seconds": seconds}
        if index < counts[0]:
            size = SIZES_PX[index % len(SIZES_PX)]
            scene = cache.scene_of(background, AnalysisSettings(), folder)
            made = render(background, scene, book, settings(size), Lot(1, index))
            for each in made.objects:
                near = [other.score for other in spot(made.photo, wanted) if overlap(other.box, each.full_box) >= SAME]
                steep = each.tilt_deg > STEEP_DEG
                score = max(near, default=0.0)
                yield {"list": name, "clean": False, "half": index % 2, "score": score, "size": size, "steep": steep}


def told(found: list[Row]) -> None:
    """Print what one half of the photos as they are would choose, and what the threshold does on the other."""
    clean, planted = ([row for row in found if row["clean"] is side] for side in (True, False))
    threshold = LogosConfig().clean_score
    one, other = ([row["score"] for row in clean if row["half"] == half] for half in (0, 1))
    chosen = sorted(one)[-1 - int(MOST_ALARMS * len(one))]
    print(f"{MOST_ALARMS:.0%} of {len(one)} photos exceed {chosen:.2f}; the threshold is {threshold:.2f}")
    print(f"false alarms: {sum(score >= threshold for score in other)} of {len(other)} other photos")
    print(f"CPU seconds a photo: {np.mean([row['seconds'] for row in clean]):.2f}")
    for size in SIZES_PX:
        for steep in (False, True):
            cell = [row["score"] >= threshold for row in planted if (row["size"], row["steep"]) == (size, steep)]
            words = f"above {STEEP_DEG:.0f}" if steep else f"up to {STEEP_DEG:.0f}"
            print(f"{size} px, {words} degrees: {sum(cell)} of {len(cell)} found")


def main() -> None:
    """Measure, print a line of JSON for each photo, then the tables."""
    cv2.setNumThreads(1)
    counts = [int(text) for text in sys.argv[1:3]] or [60, len(PHOTOS)]
    only = sys.argv[3:] or ["coins", "cards"]
    with tempfile.TemporaryDirectory() as folder:
        for name, book in books().items():
            if name in only:
                found = []
                for row in rows(name, book, (counts[0], counts[-1]), Path(folder)):
                    print(json.dumps(row), flush=True)
                    found.append(row)
                print(name)
                told(found)


if __name__ == "__main__":
    main()

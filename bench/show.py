"""`vision data show` of 10,000 photos in a real browser: writing, first paint, scrolling, filters, opening a photo.

Photos are small JPEGs made from the real ones in ../shared/data (cut, mirrored, brightened), or drawn where there are
none; each has 7 boxes with outlines. Bars: first photos seen in 1 s, a filter in 100 ms, no frame of a slow scroll over
50 ms (the machine has two cores, and the browser draws without a graphics card).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import chromium
import numpy as np
from PIL import Image, ImageEnhance

PHOTOS, BOXES, CLASSES = 10_000, 7, 40
REAL = Path(__file__).parents[2] / "shared" / "data" / "coco128_train" / "images" / "train2017"
SIZE = (320, 240)
_WIDTHS = (390, 820, 1400)

Picture = Image.Image

SCROLL = """new Promise((done) => { const box = document.getElementById('scroll'), times = [];
  let last = performance.now(), n = 0;
  const step = %d; (function frame(now) { times.push(now - last); last = now; box.scrollTop += step;
    if (++n < 240) requestAnimationFrame(frame); else { times.shift(); times.sort((a, b) => a - b);
      done({ median: times[120], p95: times[227], worst: times[times.length - 1] }); } })(last); })"""
FILTER = """new Promise((done) => { const start = performance.now(); %s;
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start))); })"""
SEEN = """document.querySelectorAll('.tile').length > 3 && [...document.querySelectorAll('.tile')].every((tile) =>
  tile.style.display === 'none' || tile.querySelector('img').complete && tile.querySelector('img').naturalWidth > 0)"""


def sources() -> list[Picture]:
    """Return the photos that the others are made of."""
    if REAL.is_dir():
        return [Image.open(path).convert("RGB").resize((480, 360)) for path in sorted(REAL.glob("*.jpg"))]
    rng = np.random.default_rng(1)
    return [Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8)).resize((480, 360)) for _ in range(40)]


def write_photos(folder: Path) -> None:
    """Write the photos, the same each time."""
    folder.mkdir(parents=True)
    pictures, rng = sources(), np.random.default_rng(7)
    plans = [(rng.integers(0, 100, 2).tolist(), rng.uniform(0.6, 1.4), bool(rng.integers(2))) for _ in range(PHOTOS)]

    def one(row: int) -> None:
        (left, top), light, mirrored = plans[row]
        photo = pictures[row % len(pictures)].crop((left, top, left + SIZE[0], top + SIZE[1]))
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else photo
        ImageEnhance.Brightness(photo).enhance(light).save(folder / f"{row:06}.jpg", quality=80)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(PHOTOS)))


def write_labels(path: Path) -> None:
    """Write boxes and outlines of all photos as COCO."""
    rng = np.random.default_rng(3)
    images = [
        {"id": row + 1, "file_name": f"{row:06}.jpg", "width": SIZE[0], "height": SIZE[1]} for row in range(PHOTOS)
    ]
    annotations: list[dict[str, Any]] = []
    for row in range(PHOTOS):
        for _ in range(int(rng.integers(0, 2 * BOXES + 1))):
            width, height = rng.uniform(16, 120, 2).round(2).tolist()
            left, top = (rng.uniform(0, 1, 2) * (SIZE[0] - width, SIZE[1] - height)).round(2).tolist()
            angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            x, y = left + width / 2 * (1 + np.cos(angles)), top + height / 2 * (1 + np.sin(angles))
            ring = np.stack([x, y], axis=1).round(2).ravel().tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": row + 1,
                    "category_id": int(rng.integers(1, CLASSES + 1)),
                    "bbox": [left, top, width, height],
                    "area": round(width * height * np.pi / 4, 2),
                    "iscrowd": 0,
                    "segmentation": [ring],
                }
            )
    categories = [{"id": number, "name": f"class {number}"} for number in range(1, CLASSES + 1)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def write_page(data: Path, page: Path) -> None:
    """Write the page and print what it took."""
    command = [sys.executable, "-m", "vision_cli", "data", "show", str(data), "--from", "coco", "--out", str(page)]
    for name, more in (("write the page", []), ("write it again, thumbnails kept", ["--force"])):
        start = time.perf_counter()
        process = subprocess.Popen([*command, *more, "--quiet"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(process.returncode)
        cpu, wall = usage.ru_utime + usage.ru_stime, time.perf_counter() - start
        print(f"{name}: {wall:.1f} s, {cpu:.1f} CPU s, peak {usage.ru_maxrss * 1024 / 1e6:.0f} MB", flush=True)
    sizes = {kind: sum(file.stat().st_size for file in (page / kind).rglob("*.js*")) for kind in ("data", "thumbs")}
    sizes["thumbs"] = sum(file.stat().st_size for file in (page / "thumbs").rglob("*.jpg"))
    print("page: " + ", ".join(f"{kind} {size / 1e6:.1f} MB" for kind, size in sizes.items()))


def look(page: Path, pictures: Path | None) -> None:
    """Measure the page in a browser."""
    with chromium.browser() as tab:
        for width in _WIDTHS:
            start = time.perf_counter()
            tab.open(page.as_uri() + "/index.html", width=width, height=900)
            tab.wait(SEEN)
            first = time.perf_counter() - start
            tab.wait("photos.path.length === start.photos && !refilter.asked")
            print(f"{width} px: first photos {first:.2f} s, all loaded {time.perf_counter() - start:.2f} s")
            for name, step in (("slow", 12), ("fast", 400)):
                found = tab.run(SCROLL % step)
                figures = ", ".join(f"{key} {found[key]:.0f} ms" for key in ("median", "p95", "worst"))
                print(f"  scroll {name} ({step} px a frame): {figures}", flush=True)
            if pictures is not None:
                tab.picture(pictures / f"show-{width}.png")
        for name, act in {
            "search": "view.q = '0012'; refilter()",
            "class": "view.q = ''; view.classes.add(3); refilter()",
            "all, by name": "view.classes.clear(); view.sort = 'name'; refilter()",
            "all, by number of boxes": "view.sort = 'most'; refilter()",
            "open a photo": "openPhoto(grid.rows[4321])",
        }.items():
            print(f"{name}: {tab.run(FILTER % act):.0f} ms to the second frame")
        tab.wait("document.getElementById('full').complete && document.querySelectorAll('#side tr').length > 0")
        elements = tab.run("document.querySelectorAll('.tile').length")
        heap = tab.run("performance.memory.usedJSHeapSize") / 1e6
        print(f"elements of the grid: {elements}; script memory {heap:.0f} MB; complaints: {tab.problems or 'none'}")


def main() -> None:
    """Print the figures."""
    if chromium.PROGRAM is None:
        print("there is no Chromium here: nothing is measured")
        return
    kept = os.environ.get("SHOW_FOLDER")
    with tempfile.TemporaryDirectory(prefix="bench-show-") as place:
        folder = Path(kept or place)
        if not (folder / "photos").is_dir():
            write_photos(folder / "photos")
            write_labels(folder / "photos" / "labels.json")
        if not (folder / "page").is_dir():
            write_page(folder / "photos" / "labels.json", folder / "page")
        look(folder / "page", folder if kept else None)


if __name__ == "__main__":
    main()

"""Photos a CPU second of our loader beside Pillow's and OpenCV's plain decoding, in one run.

Ours does more: it refuses cut, foreign and huge files, turns by EXIF, and defines every mode. `to 224` is the whole way
from a file to a network's input; Pillow's is its `draft` decode with an antialiased resize and crop.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging import prepare, read

SECONDS = 3.0
SCENES = sorted((Path(__file__).parents[1] / "sample_data" / "scenes").glob("*.jpg"))


def rate(work: Callable[[bytes], object], files: list[bytes]) -> float:
    """Return photos a CPU second of one thread."""
    for data in files:
        work(data)
    done, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        for data in files:
            work(data)
        done += len(files)
    return done / (time.process_time() - start)


def pillow(data: bytes) -> object:
    """Decode with Pillow."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def opencv(data: bytes) -> object:
    """Decode with OpenCV."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def pillow_input(data: bytes) -> object:
    """Decode, resize and crop as torchvision does on Pillow."""
    image: Image.Image = Image.open(io.BytesIO(data))
    image.draft("RGB", (256, 256))  # only a JPEG decodes smaller
    image = image.convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels) / np.float32(255)


def main() -> None:
    """Print one line a way."""
    cv2.setNumThreads(1)
    files = [path.read_bytes() for path in SCENES]
    preprocess = Preprocess()
    ways: dict[str, Callable[[bytes], object]] = {
        "decode, Pillow": pillow,
        "decode, OpenCV": opencv,
        "decode, ours": read.read_photo,
        "to 224, Pillow with draft": pillow_input,
        "to 224, ours": lambda data: prepare.load(data, preprocess),
    }
    rates = {name: rate(work, files) for name, work in ways.items()}
    for name, value in rates.items():
        print(f"{name:<26} {value:7.0f} photos a CPU second (640 x 480)")
    print(f"ours / OpenCV, decode      {rates['decode, ours'] / rates['decode, OpenCV']:.2f}")
    print(f"ours / Pillow, to 224      {rates['to 224, ours'] / rates['to 224, Pillow with draft']:.2f}")


if __name__ == "__main__":
    main()

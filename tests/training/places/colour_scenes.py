"""Photos whose colours say what is where: the slow reference of everything that moves boxes, masks and pixels.

Each object has a colour of its own out of the seven that 0 and 255 make, on black. What is over half of a colour is
the object; the grey of borders is none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle, rle_columns
from vision_cli.core.detections import Truth
from vision_cli.training.places.scene import Scene, boxes_around
from vision_cli.training.places.scenes import Scenes

IGNORED, BACKGROUND = -1, 0
CLASSES = 8
"""0 is the background; the class of an object is the number of its colour."""
Plane = NDArray[np.bool_]
ALL = (1, 2, 3, 4, 5, 6, 7)


def colour(number: int) -> NDArray[np.uint8]:
    """Return the colour of a number from 1 to 7."""
    return np.array([255 * (number >> bit & 1) for bit in range(3)], dtype=np.uint8)


def numbers(photo: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the number of each pixel's colour, int64 (H, W); 0 for black and grey."""
    high = np.asarray(photo, dtype=np.float64) > 127.5
    return high[..., 0] * 1 + high[..., 1] * 2 + high[..., 2] * 4


def shapes(
    rng: np.random.Generator, size: tuple[int, int], wanted: tuple[int, ...] = ALL, *, rectangles: bool = False
) -> dict[int, Plane]:
    """Return a filled shape for each number, bool (H, W), on a 3 x 3 grid so that none touches another."""
    width, height = size
    planes = {}
    y, x = np.indices((height, width))
    for number, cell in zip(wanted, rng.permutation(9).tolist(), strict=False):
        step_x, step_y = width // 3, height // 3
        left, top = cell % 3 * step_x + int(rng.integers(2, 8)), cell // 3 * step_y + int(rng.integers(2, 8))
        w, h = int(rng.integers(step_x // 2, step_x - 9)), int(rng.integers(step_y // 2, step_y - 9))
        inside = (x >= left) & (x < left + w) & (y >= top) & (y < top + h)
        kind = 0 if rectangles else number % 3
        if kind == 1:
            inside = ((x + 0.5 - left - w / 2) / (w / 2)) ** 2 + ((y + 0.5 - top - h / 2) / (h / 2)) ** 2 <= 1
        elif kind == 2:
            inside &= (x < left + w // 2) | (y >= top + h // 2)
        planes[number] = inside
    return planes


def scene(
    seed: int,
    size: tuple[int, int] = (150, 120),
    wanted: tuple[int, ...] = ALL,
    *,
    masks: bool = True,
    pixels: bool = False,
) -> Scene:
    """Return a scene of shapes; without masks they are rectangles."""
    planes = shapes(np.random.default_rng(seed), size, wanted, rectangles=not masks and not pixels)
    photo = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    for number, plane in planes.items():
        photo[plane] = colour(number)
    stacked = np.array(list(planes.values()), dtype=np.uint8).reshape(-1, size[1], size[0])
    return Scene(
        photo,
        boxes_around(stacked),
        np.array(list(planes), dtype=np.int64),
        np.zeros(len(planes), dtype=bool),
        stacked if masks else None,
        numbers(photo).astype(np.int16) if pixels else None,
    )


def written(folder: Path, task: str, sizes: list[tuple[int, int]], wanted: tuple[int, ...] = ALL) -> Scenes:
    """Write photos and return them with their labels."""
    from PIL import Image

    rows: list[tuple[int, int, Plane]] = []
    paths = []
    for index, size in enumerate(sizes):
        rng = np.random.default_rng(index)
        chosen = () if index == 2 else wanted  # The third photo is a negative one.
        planes = shapes(rng, size, chosen, rectangles=task == "detect")
        photo = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        for number, plane in planes.items():
            photo[plane] = colour(number)
            rows.append((index, number, plane))
        paths.append(folder / f"{index}.png")
        Image.fromarray(photo).save(paths[-1])
    edges = [boxes_around(plane[None].astype(np.uint8))[0] for _, _, plane in rows]
    boxes = np.array([[a, b, c - a, d - b] for a, b, c, d in edges], dtype=np.float64).reshape(-1, 4)
    truth = Truth(
        np.array(sizes, dtype=np.int64),
        np.array([photo for photo, _, _ in rows], dtype=np.int64),
        np.array([number for _, number, _ in rows], dtype=np.int64),
        boxes,
        None
        if task == "detect"
        else rle_columns.of_texts([rle.to_text(rle.encode(plane)).encode() for _, _, plane in rows]),
        areas=np.array([plane.sum() for _, _, plane in rows], dtype=np.float64),
        crowd=np.zeros(len(rows), dtype=bool),
        difficult=np.zeros(len(rows), dtype=bool),
    )
    background = BACKGROUND if task == "semantic" else IGNORED
    return Scenes(task, paths, truth, np.ones(CLASSES, dtype=bool), background)


def box_of(plane: Plane) -> NDArray[np.float32]:
    """Return left, top, right, bottom around pixels."""
    return boxes_around(plane[None].astype(np.uint8))[0]


def grown(plane: Plane, by: int = 1) -> Plane:
    """Return a plane with all pixels up to `by` away, diagonally too."""
    padded = np.pad(plane, by)
    height, width = plane.shape
    shifts = [padded[y : y + height, x : x + width] for y in range(2 * by + 1) for x in range(2 * by + 1)]
    return np.asarray(np.any(shifts, axis=0))


def thick(plane: Plane) -> bool:
    """Tell whether a plane has a block of 3 x 3 pixels: more than what resampling may leave along an edge."""
    return bool((plane & ~grown(~plane)).any())


def rim(plane: Plane) -> Plane:
    """Return the pixels beside a plane's edge, on both sides."""
    return grown(plane) & grown(~plane)


def check(found: Scene, *, exact: bool = False, turned: bool = False) -> list[NDArray[np.float64]]:
    """Assert that boxes, masks and pixels are where the photo shows the colours.

    Resampling may differ by what lies on an edge; `exact` allows nothing. With `turned`, a box that is cut need only
    hold what shows: of a box that was turned nobody knows which part of it was cut. Returned is by how many pixels
    (down, right) the middle of each mask lies beside that of its colour: the mean of many is 0.
    """
    shown, shifts = numbers(found.photo), []
    for number in ALL:
        plane, rows = shown == number, np.flatnonzero(found.labels == number)
        assert len(rows) <= 1
        if not len(rows):
            left, top, right, bottom = box_of(plane).tolist()
            thin = 0 if exact else 1  # What is thinner than a pixel is left out, and may show as one.
            assert min(right - left, bottom - top) <= thin, f"object {number} shows and is no object"
            continue
        row = int(rows[0])
        if plane.sum() > (0 if exact else 6):
            # For maps alone shapes are no rectangles, and nobody knows what a cut leaves of their boxes either.
            check_box(
                found, row, plane, 0.0 if exact else 1.01, turned or (found.masks is None and found.pixels is not None)
            )
        if found.masks is not None:
            mask = found.masks[row] == 1
            assert (found.boxes[row] == box_of(mask)).all()
            off = mask != plane
            assert not (off if exact else off & ~rim(plane)).any(), f"mask of {number}"
            if plane.sum() > 100:
                shifts.append(np.argwhere(mask).mean(axis=0) - np.argwhere(plane).mean(axis=0))
    if found.pixels is not None:
        check_pixels(found, shown, exact)
    return shifts


def check_box(found: Scene, row: int, plane: Plane, slack: float, turned: bool) -> None:
    """Assert that a box is where a colour shows."""
    off = found.boxes[row] - box_of(plane)
    width, height = found.size_px
    if turned and (found.boxes[row] % [width, height, width, height] < 1).any():
        assert (off[:2] <= slack).all() and (off[2:] >= -slack).all()  # noqa: PT018
    else:
        assert np.abs(off).max() <= slack, f"box {row}: {found.boxes[row]} and {box_of(plane)}"


def check_pixels(found: Scene, shown: NDArray[np.int64], exact: bool) -> None:
    """Assert that the map of classes shows the colours, and what came in from outside is to be ignored."""
    assert found.pixels is not None
    grey = (np.abs(found.photo.astype(np.int64) - 114) <= 2).all(axis=-1)
    expected = np.where(grey, IGNORED, shown)
    # Between black and the grey of borders nobody can tell.
    edges = (np.ptp(found.photo, axis=-1) <= 2) & (found.photo[..., 0] > 2) & (found.photo[..., 0] < 112)
    if not exact:
        for value in np.unique(expected):
            edges |= rim(expected == value)
    off = (found.pixels != expected) & ~edges
    assert not off.any(), f"{off.sum()} pixels"
    assert (found.pixels != expected).sum() <= edges.sum() / 3

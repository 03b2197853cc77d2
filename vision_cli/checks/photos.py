"""Checks of single photos. What is measured, and where the thresholds come from, stands in `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks import photo_facts
from vision_cli.checks.finding import Finding, at_images, counted, found
from vision_cli.checks.photo_facts import PhotoFacts
from vision_cli.checks.request import Request

_LOOK = "Look at them in the gallery (--html)."
_SUFFIXES = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "gif": (".gif",),
    "bmp": (".bmp", ".dib"),
    "tiff": (".tif", ".tiff"),
    "webp": (".webp",),
    "ppm": (".ppm", ".pgm", ".pbm", ".pnm"),
    "avif": (".avif",),
}


def photo_empty(request: Request) -> list[Finding]:
    """Find files of 0 bytes."""
    rows = _in_state(request, photo_facts.EMPTY)
    reason = f"{counted(len(rows), 'photo')} have 0 bytes."
    hint = "Copy them again, or `vision data fix --repair drop-broken-photos`."
    return found("photo-empty", reason, at_images(rows), hint=hint, fixable="drop-broken-photos")


def photo_broken(request: Request) -> list[Finding]:
    """Find photos that the decoder refuses."""
    rows = _in_state(request, photo_facts.BROKEN)
    if not len(rows):
        return []
    first = _facts(request).records[int(rows[0])].reason
    reason = f"{counted(len(rows), 'photo')} cannot be decoded; the first: {first}"
    hint = "Copy them again, or `vision data fix --repair drop-broken-photos`."
    return found("photo-broken", reason, at_images(rows), hint=hint, fixable="drop-broken-photos")


def photo_suffix(request: Request) -> list[Finding]:
    """Find files whose suffix names another format than their content is."""
    paths = request.dataset.images["path"].to_pylist()
    kinds = _facts(request).column("format")
    rows = [
        row for row, (path, kind) in enumerate(zip(paths, kinds, strict=True))
        if kind and PurePosixPath(path).suffix.lower() not in _SUFFIXES[kind]
    ]  # fmt: skip
    told = f"; the first is {kinds[rows[0]].upper()} and called {PurePosixPath(paths[rows[0]]).name}" if rows else ""
    reason = f"{counted(len(rows), 'photo')} are of another format than their suffix says{told}; many tools believe it."
    hint = "`vision data fix --repair right-suffix` names them by their content."
    return found("photo-suffix", reason, at_images(rows), hint=hint, fixable="right-suffix")


def photo_size(request: Request) -> list[Finding]:
    """Find photos whose size is not what the labels say, turned or not."""
    facts, said = _facts(request), request.image_sizes
    there = np.stack([facts.column("width"), facts.column("height")], axis=1)
    known = (there > 0).all(axis=1) & (said > 0).all(axis=1)
    off = known & (there != said).any(axis=1)
    # A photo that its EXIF turns on its side is the business of photo-orientation.
    turned = (facts.column("orientation") >= 5) & (there[:, ::-1] == said).all(axis=1)
    rows = np.flatnonzero(off & ~turned)
    if not len(rows):
        return []
    (width, height), (said_w, said_h) = there[rows[0]], said[rows[0]]
    reason = (
        f"{counted(len(rows), 'photo')} have another size than their labels say (the first {width} x {height}, not "
        f"{said_w:.0f} x {said_h:.0f}): boxes sit elsewhere."
    )
    hint = "Were photos shrunk after labelling? Take the originals, or scale the labels."
    return found("photo-size", reason, at_images(rows), hint=hint)


def photo_huge(request: Request) -> list[Finding]:
    """Find photos of more megapixels or megabytes than is usual."""
    facts, settings = _facts(request), request.settings
    megapixels, megabytes = facts.column("width") * facts.column("height") / 1e6, facts.column("size") / 1e6
    rows = np.flatnonzero((megapixels > settings.huge_mp) | (megabytes > settings.huge_mb))
    undecoded = len(_in_state(request, photo_facts.TOO_LARGE))
    more = f"; {undecoded} of them were not decoded" if undecoded else ""
    limits = f"{settings.huge_mp:g} megapixels or {settings.huge_mb:g} MB"
    reason = f"{counted(len(rows), 'photo')} have more than {limits}{more}."
    hint = "Shrink or tile them: every epoch decodes them anew."
    return found("photo-huge", reason, at_images(rows, megapixels[rows]), hint=hint, measure="megapixels")


def photo_tiny(request: Request) -> list[Finding]:
    """Find photos with a side of very few pixels."""
    facts, least = _facts(request), request.settings.tiny_px
    side = np.minimum(facts.column("width"), facts.column("height"))
    reason = f"have a side of fewer than {least:g} px: there is little to see on them."
    return _measured(request, "photo-tiny", reason, _Measured(side, (side > 0) & (side < least), "shorter side, px"))


def photo_aspect(request: Request) -> list[Finding]:
    """Find photos that are much longer than wide."""
    facts, most = _facts(request), request.settings.aspect
    sides = np.sort(np.stack([facts.column("width"), facts.column("height")], axis=1).astype(np.float64), axis=1)
    ratio = sides[:, 1] / np.maximum(sides[:, 0], 1)
    reason = f"are more than {most:g} times as long as wide: cropping loses them, stretching squashes them."
    return _measured(
        request, "photo-aspect", reason, _Measured(ratio, ratio > most, "longer side by shorter", falling=True)
    )


def photo_blurred(request: Request) -> list[Finding]:
    """Find photos that another blur hardly changes."""
    values, least = _facts(request).column("blur"), request.settings.blur
    reason = f"are blurred (above {least:g} of 1, after Crete et al. 2007, at {512} px)."
    return _measured(request, "photo-blurred", reason, _Measured(values, values > least, "blur, 0 to 1", falling=True))


def photo_dark(request: Request) -> list[Finding]:
    """Find photos without a bright spot."""
    facts = _facts(request)
    values, most = facts.column("luma_p99"), request.settings.dark
    wanted = (values < most) & ~_flat(request)
    reason = f"are dark: 99 % of their pixels stay below grey level {most:g} of 255."
    return _measured(request, "photo-dark", reason, _Measured(values, wanted, "99th percentile of luma, 0 to 255"))


def photo_overexposed(request: Request) -> list[Finding]:
    """Find photos that are mostly clipped to white."""
    values, most = _facts(request).column("clipped"), request.settings.overexposed
    wanted = (values > most) & ~_flat(request)
    reason = f"are overexposed: more than {most:.0%} of their pixels are white (luma 250 or more)."
    return _measured(
        request, "photo-overexposed", reason, _Measured(values, wanted, "share of white pixels", falling=True)
    )


def photo_single_colour(request: Request) -> list[Finding]:
    """Find photos without content."""
    values = _facts(request).column("spread")
    reason = "are of a single colour: nothing can be learnt from them."
    return _measured(
        request, "photo-single-colour", reason, _Measured(values, _flat(request), "standard deviation, grey levels")
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A figure of every photo.

    Attributes:
        values: (N,).
        wanted: bool (N,), which photos are found.
        measure: what the values are.
        falling: the highest are the worst.
    """

    values: NDArray[Any]
    wanted: NDArray[np.bool_]
    measure: str
    falling: bool = False


def _measured(request: Request, check: str, reason: str, measured: _Measured) -> list[Finding]:
    values, wanted = measured.values, measured.wanted
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(-values[rows] if measured.falling else values[rows], kind="stable")]
    sentence = f"{counted(len(rows), 'photo')} of {len(request.dataset):,} {reason}"
    return found(check, sentence, at_images(rows, values[rows]), measure=measured.measure, hint=_LOOK)


def _flat(request: Request) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = _facts(request).column("spread") < request.settings.single_colour
    return found


def _in_state(request: Request, state: int) -> NDArray[np.int64]:
    return np.flatnonzero(_facts(request).column("state") == state)


def _facts(request: Request) -> PhotoFacts:
    return request.photos or PhotoFacts(())

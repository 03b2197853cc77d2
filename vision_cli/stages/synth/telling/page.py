"""The page of a run: what was asked for beside what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vision_cli.imaging import overlay, sheets
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.write import encode_jpeg
from vision_cli.reports import synthetic
from vision_cli.reports.document import Picture
from vision_cli.reports.synthetic import Apart, Group, Shares, Spread, SyntheticRun
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.asking.commands import AnyConfig
from vision_cli.stages.synth.cleaning.aside import Cleaned
from vision_cli.stages.synth.making.maker import PHOTOS, Record
from vision_cli.stages.synth.measuring.distance import DistanceResult
from vision_cli.stages.synth.measuring.summary import Summary

_SAMPLES, _PHOTO_PX, _QUALITY = 12, 320, 80
_MOST_VALUES = 20_000
_DRIVERS = 8
_NAMED = 4
_DRAWN = ("size_px", "angle_deg", "tilt_deg", "contrast", "visibility")


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to show.

    Attributes:
        folder: of the run.
        asked: its inputs.
        config: its settings.
        records: its photos.
        summary: of them.
        cleaned: backgrounds that were set aside.
        apart: from real photos.
    """

    folder: Path
    asked: Asked
    config: AnyConfig
    records: Sequence[Record]
    summary: Summary
    cleaned: Cleaned | None = None
    apart: DistanceResult | None = None


def page(shown: Shown) -> str:
    """Return the page."""
    return synthetic.render(
        SyntheticRun(
            title=_title(shown.asked.book.classes),
            facts=_facts(shown),
            spreads=_spreads(shown),
            choices=_choices(shown),
            rejects=list(shown.summary.rejects.items()),
            samples=_samples(shown),
            apart=None if shown.apart is None else apart_of(shown.apart, shown.folder / PHOTOS),
            aside=_aside(shown.cleaned),
            notes=shown.asked.notes,
        )
    )


def _title(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:_NAMED])
    return shown if len(classes) <= _NAMED else f"{shown} and {len(classes) - _NAMED} more"


def _facts(shown: Shown) -> list[tuple[str, str]]:
    found = shown.summary
    return [
        ("photos", f"{found.photos:,}"),
        ("without an object", f"{found.negatives / max(found.photos, 1):.0%}, asked {shown.config.negatives:.0%}"),
        ("objects", f"{found.objects:,}"),
        ("classes", f"{len(found.classes):,}"),
        ("backgrounds", f"{found.backgrounds:,} of {len(shown.asked.backgrounds):,}"),
        ("on a surface", f"{found.on_planes / max(found.objects, 1):.0%}"),
        ("truncated", f"{found.truncated / max(found.objects, 1):.0%}"),
        ("partly hidden", f"{found.occluded / max(found.objects, 1):.0%}"),
        ("seed", f"{shown.asked.seed}"),
    ]


def _spreads(shown: Shown) -> list[Spread]:
    settings = shown.asked.render
    step = max(1, -(-shown.summary.objects // _MOST_VALUES))
    every = ((max(row["width"], row["height"]), each) for row in shown.records for each in row["objects"])
    drawn = [
        {"longest": longest, **{name: each[name] for name in _DRAWN}} for longest, each in islice(every, 0, None, step)
    ]
    if settings.size_px is not None:
        sizes, axis, asked = [each["size_px"] for each in drawn], "longer side, px", settings.size_px
    else:
        sizes = [each["size_px"] / each["longest"] for each in drawn]
        axis, asked = "longer side, share of the photo's", settings.size_share
    turned = max(settings.rotation_deg, settings.lying_rotation_deg)
    return [
        Spread("Size", axis, sizes, asked, "Drawn evenly on a logarithmic scale; what found no room was drawn anew."),
        Spread("Turned", "degrees", [each["angle_deg"] for each in drawn], (-turned, turned)),
        Spread("Tilt", "degrees off the line of sight", [each["tilt_deg"] for each in drawn],
               None, "It follows from the surfaces of the scene."),
        Spread("Contrast", "grey levels", [each["contrast"] for each in drawn],
               None, f"Asked for: {settings.contrast_least:g} or more."),
        Spread("Visibility", "share that is seen", [each["visibility"] for each in drawn],
               (settings.visibility_least, 1.0)),
    ]  # fmt: skip


def _choices(shown: Shown) -> list[Shares]:
    found, settings = shown.summary, shown.asked.render
    classes = sorted(found.classes.items(), key=lambda each: (-each[1], each[0]))
    weights = sum(settings.looks.values()) or 1.0
    looks = {**dict.fromkeys(settings.looks, 0), **found.looks}
    blends = {**dict.fromkeys(settings.blends, 0), **found.blends}
    return [
        Shares("Objects by class", [(name, number, 1 / len(classes)) for name, number in classes]),
        Shares("Objects by look", [(name, number, settings.looks.get(name, 0.0) / weights)
                                   for name, number in looks.items()]),
        Shares("Photos by blend", [(name, number, 1 / len(settings.blends) if name in settings.blends else None)
                                   for name, number in blends.items()]),
    ]  # fmt: skip


def _samples(shown: Shown) -> list[Picture]:
    """Return some photos with their boxes, spread over the run."""
    step = max(1, len(shown.records) // _SAMPLES)
    return [_sample(shown, row) for row in shown.records[::step][:_SAMPLES]]


def _sample(shown: Shown, record: Record) -> Picture:
    photo = read_photo(shown.folder / PHOTOS / record["file"])
    small = sheets.fitted(photo, _PHOTO_PX)
    scale, classes = small.shape[1] / photo.shape[1], shown.asked.book.classes
    marks = [
        overlay.Marked((x * scale, y * scale, (x + w) * scale, (y + h) * scale), "", classes.index(each["class"]))
        for each in record["objects"]
        for x, y, w, h in [each["box"]]
    ]
    names = ", ".join(sorted({each["class"] for each in record["objects"]})) or "nothing"
    return Picture(encode_jpeg(overlay.with_objects(small, marks), _QUALITY), record["file"], names)


def _aside(cleaned: Cleaned | None) -> tuple[str, bytes | None] | None:
    if cleaned is None:
        return None
    return cleaned.note, None if cleaned.picture is None else cleaned.picture.read_bytes()


def apart_of(found: DistanceResult, photos: Path) -> Apart:
    """Return what a page tells of a distance."""
    drivers = [
        (each.name, each.p, [Group(one.name, one.photos, 1000 * one.kernel) for one in each.bins])
        for each in found.drivers[:_DRIVERS]
    ]
    return Apart(
        verdict=found.verdict,
        facts=[
            ("kernel distance (x 1000)", f"{found.kernel:.4g}"),
            ("halves of the real photos: 95 % below", f"{found.kernel_noise:.4g}"),
            ("Fréchet distance", f"{found.frechet:.3g}"),
            ("of halves of the real photos", f"{found.frechet_noise:.3g}"),
            ("told apart, AUC", f"{found.auc:.3f} (chance {found.chance[0]:.2f} to {found.chance[1]:.2f})"),
            ("photos", f"{found.photos[0]:,} made on {found.backgrounds:,} backgrounds, {found.photos[1]:,} real"),
        ],
        drivers=drivers,
        least=[_picture(photos / name) for name in found.least_alike],
        most=[_picture(photos / name) for name in found.most_alike],
    )


def _picture(path: Path) -> Picture:
    return Picture(encode_jpeg(sheets.fitted(read_photo(path), _PHOTO_PX), _QUALITY), path.name, path.name)

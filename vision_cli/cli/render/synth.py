"""`vision synth` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import duration, number, place
from vision_cli.stages.synth.measuring.distance import DistanceResult
from vision_cli.stages.synth.measuring.summary import Saved, Spread, Summary
from vision_cli.stages.synth.run import SynthResult
from vision_cli.synth.distance import Driver

_SHOWN = 12
_SURE = 0.05
_NAMES = {"size_px": "size, px", "angle_deg": "turned, degrees", "tilt_deg": "tilt, degrees"}


def draw(result: SynthResult, paper: Paper) -> None:
    """Draw what was made, what is in it, and what it saves."""
    if result.summary is not None:
        _draw_summary(result.summary, paper)
    if result.saved is not None:
        _draw_saved(result.saved, paper)
    if result.distance is not None:
        draw_distance(result.distance, paper)
        paper.line()
    for note in result.notes:
        paper.line(f"note: {note}")
    if result.page is not None:
        paper.line(f"report: {place(result.page)}")
    for picture in result.pictures:
        paper.outcome(f"picture: {place(picture)}")
    if result.dry_run:
        paper.outcome(f"would make {result.wanted - result.kept:,} photos in {place(result.folder)}")
    elif not result.pictures:
        _draw_outcome(result, paper)


def _draw_outcome(result: SynthResult, paper: Paper) -> None:
    rate = f", {number(result.photos_a_second, 3)} a second" if result.photos_a_second else ""
    paper.line(f"{result.made:,} photos made{rate}; {result.kept:,} were there")
    if result.shard is not None:
        part, parts = result.shard
        paper.line("When all parts are there: the same command without --shard writes the labels.")
        paper.outcome(f"part {part} of {parts}: {result.wanted:,} photos in {place(result.folder)}")
    elif result.data is not None:
        paper.outcome(f"written: {place(result.data)}")


def _draw_summary(found: Summary, paper: Paper) -> None:
    paper.line(
        f"{found.photos:,} photos on {found.backgrounds:,} backgrounds, {found.negatives:,} of them without an object",
        style="bold",
    )
    rows = sorted(found.classes.items(), key=lambda row: (-row[1], row[0]))
    paper.table(("class", "objects"), [(name, f"{count:,}") for name, count in rows[:_SHOWN]], right=(1,))
    if len(rows) > _SHOWN:
        paper.line(f"and {len(rows) - _SHOWN} more classes, the rarest with {rows[-1][1]:,}")
    spreads = [(_NAMES.get(each.name, each.name), *_values(each)) for each in found.spreads]
    if spreads:
        paper.heading("Objects")
        paper.table(("", "least", "10 %", "middle", "90 %", "largest"), spreads, right=(1, 2, 3, 4, 5))
        shares = ("truncated", found.truncated), ("occluded", found.occluded), ("on a surface", found.on_planes)
        told = ", ".join(f"{name} {count / found.objects:.0%}" for name, count in shares)
        paper.line(f"{found.objects:,} objects: {told}")
    if found.rejects:
        paper.heading("Tried in vain")
        paper.table((), [(reason, f"{count:,}") for reason, count in found.rejects.items()], right=(1,))
    paper.line()


def _values(each: Spread) -> tuple[str, ...]:
    return tuple(number(value, 3) for value in (each.least, each.low, each.middle, each.high, each.largest))


def _draw_saved(saved: Saved, paper: Paper) -> None:
    hand = saved.by_hand
    paper.line(
        f"By hand: {hand.hours:,.1f} hours ({hand.days:,.1f} working days of 8) and ${hand.dollars:,.2f}, at "
        f"{hand.rate.seconds:g} s and ${hand.rate.dollars:g} a photo ({hand.rate.source})"
    )
    if saved.seconds_a_photo is not None:
        took = duration(saved.seconds_a_photo * hand.answers)
        paper.line(f"Here: {took}, at {saved.seconds_a_photo:g} s a photo, as measured")


def draw_distance(found: DistanceResult, paper: Paper) -> None:
    """Draw how far photos are from real ones, and which parameters drive it."""
    paper.heading("How far from real")
    paper.line(found.verdict)
    rows = (
        ("kernel distance, x 1000", f"{found.kernel:.4g}", f"{found.kernel_noise:.4g}"),
        (f"Fréchet distance of {found.sample}", f"{found.frechet:.3g}", f"{found.frechet_noise:.3g}"),
        ("told apart, AUC", f"{found.auc:.3f}", f"{found.chance[1]:.3f}"),
    )
    paper.table(("", "made and real", "its noise"), rows, right=(1, 2))
    sure = [each for each in found.drivers if each.p < _SURE]
    if sure:
        paper.heading("What drives it (kernel distance of each part, x 1000)")
        paper.table(("parameter", "parts", "chance"), [(each.name, _parts(each), f"{each.p:.3f}") for each in sure])
    elif found.drivers:
        paper.line("No parameter of the objects drives it beyond chance: look at the backgrounds first.")


def _parts(each: Driver) -> str:
    return "; ".join(f"{one.name}: {1000 * one.kernel:.1f}" for one in each.bins)

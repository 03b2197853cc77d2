"""What can be searched: settings of `vision synth`, each with the range that trials are drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import UsageError
from vision_cli.stages.searching.axis import Axis, Place
from vision_cli.stages.synth.asking.commands import AnyConfig
from vision_cli.synth import LOOKS
from vision_cli.synth.settings import EFFECTS

_DIGITS = 3


class Knob(Protocol):
    """One setting that is searched."""

    @property
    def name(self) -> str:
        """Return the setting's key."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return what is drawn for it."""

    def setting(self, place: Place) -> Any:
        """Return the setting's value at a point."""

    def place(self, value: Any) -> Place:
        """Return the point that is nearest to a value of the setting."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, such as `rotation_deg`."""

    name: str
    low: float
    high: float
    log: bool = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return one axis."""
        return (Axis(self.name, self.low, self.high, self.log),)

    def setting(self, place: Place) -> float:
        """Return the number, to three digits."""
        return min(max(_short(float(place[self.name])), self.low), self.high)

    def place(self, value: Any) -> Place:
        """Return the number within the range."""
        return {self.name: self.axes[0].nearest(float(value))}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of sizes, as `size_share`: its lower end, and how far it reaches from there towards `high`."""

    name: str
    low: float
    high: float

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return the lower end, and the reach as a share of what is possible, both by ratios."""
        return Axis(f"{self.name}.from", self.low, self.high, log=True), Axis(f"{self.name}.reach")

    def setting(self, place: Place) -> tuple[float, float]:
        """Return both ends."""
        least = float(place[f"{self.name}.from"])
        most = least * (self.high / least) ** float(place[f"{self.name}.reach"])
        return _short(least), max(_short(most), _short(least))

    def place(self, value: Any) -> Place:
        """Return the ends within the range."""
        least, most = (min(max(float(end), self.low), self.high) for end in value)
        reach = math.log(most / least) / math.log(self.high / least) if least < self.high else 1.0
        return {f"{self.name}.from": least, f"{self.name}.reach": reach}


@dataclass(frozen=True, slots=True)
class Most:
    """How many at most, as in `per_photo`; the least stays, unless the most is less."""

    name: str
    low: float
    high: float
    least: int

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return one axis of whole numbers."""
        return (Axis(self.name, math.ceil(self.low), math.floor(self.high), whole=True),)

    def setting(self, place: Place) -> tuple[int, int]:
        """Return the least and the most."""
        most = int(place[self.name])
        return min(self.least, most), most

    def place(self, value: Any) -> Place:
        """Return the most within the range."""
        return {self.name: self.axes[0].nearest(value[1])}


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight from 0 to 1 for each look."""

    name: str
    usual: Mapping[str, float]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return one axis a look."""
        return tuple(Axis(f"{self.name}.{look}") for look in LOOKS)

    def setting(self, place: Place) -> dict[str, float]:
        """Return the weights; the usual ones where all are 0."""
        found = {axis.name.partition(".")[2]: round(float(place[axis.name]), 2) for axis in self.axes}
        return {look: weight for look, weight in found.items() if weight} or dict(self.usual)

    def place(self, value: Any) -> Place:
        """Return the weights against the largest one."""
        weights: Mapping[str, float] = value or self.usual
        largest = max(weights.values())
        return {axis.name: weights.get(axis.name.partition(".")[2], 0.0) / largest for axis in self.axes}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several lists, as of `blends`."""

    name: str
    lists: tuple[tuple[str, ...], ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return one axis of words."""
        return (Axis(self.name, words=tuple(" ".join(each) for each in self.lists)),)

    def setting(self, place: Place) -> list[str]:
        """Return the list."""
        return str(place[self.name]).split()

    def place(self, value: Any) -> Place:
        """Return the list, which is one of the choices."""
        return {self.name: " ".join(value)}


@dataclass(frozen=True, slots=True)
class Switches:
    """Each of some effects, there or not."""

    name: str

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return one axis an effect."""
        return tuple(Axis(f"{self.name}.{each}", words=("no", "yes")) for each in sorted(EFFECTS))

    def setting(self, place: Place) -> list[str]:
        """Return the effects that are there."""
        return [axis.name.partition(".")[2] for axis in self.axes if place[axis.name] == "yes"]

    def place(self, value: Any) -> Place:
        """Return a word an effect."""
        return {axis.name: "yes" if axis.name.partition(".")[2] in value else "no" for axis in self.axes}


_NUMBERS = {
    **{"negatives": (0.0, 0.4), "rotation_deg": (0.0, 180.0), "lying_rotation_deg": (0.0, 180.0)},
    **{"lean_deg": (0.0, 40.0), "loose": (0.0, 1.0), "standing": (0.0, 1.0), "loose_tilt_deg": (0.0, 75.0)},
    **{"curvature": (0.0, 0.6), "occluders": (0.0, 0.6), "overlap": (0.0, 0.5)},
    **{"visibility_least": (0.15, 0.9), "contrast_least": (0.0, 48.0)},
}
_SPANS = {"size_share": (0.02, 0.9), "size_px": (10.0, 1000.0)}
_MOSTS = {"per_photo": (1.0, 8.0), "distractors": (0.0, 5.0)}
_WORDS = ("looks", "blends", "effects")
NAMES = (*_SPANS, *_MOSTS, *_NUMBERS, *_WORDS)
_OWN = {
    "logos": (
        *("size_share", "per_photo", "distractors", "negatives", "rotation_deg", "lean_deg", "loose", "loose_tilt_deg"),
        *("curvature", "occluders", "visibility_least", "contrast_least"),
    ),
    "paste": (
        *("size_share", "per_photo", "distractors", "negatives", "rotation_deg", "loose", "occluders", "overlap"),
        *("visibility_least", "contrast_least"),
    ),
    "classify": (
        *("size_share", "distractors", "rotation_deg", "lean_deg", "loose", "loose_tilt_deg", "curvature"),
        *("occluders", "visibility_least", "contrast_least"),
    ),
}
_BLENDS = (("alpha",), ("alpha", "feather"), ("alpha", "feather", "poisson"), ("alpha", "feather", "poisson", "hard"))

Ranges = Mapping[str, tuple[float, float] | None]


def space(command: str, section: AnyConfig, asked: Ranges, usual_looks: Mapping[str, float]) -> tuple[Knob, ...]:
    """Return what is searched, in order.

    Args:
        command: whose settings.
        section: the settings of the project file.
        asked: names with their ranges, None for our own; the command's own names when empty.
        usual_looks: weights of looks where the project file says none.

    Raises:
        UsageError: a name is unknown, or a range is none of it.
    """
    names = tuple(asked) or tuple(
        "size_px" if name == "size_share" and section.size_px is not None else name for name in _OWN[command]
    )
    for name in names:
        if name not in NAMES:
            guess = suggestion(name, NAMES)
            raise UsageError(
                f"synth.tune.search: '{name}' is nothing that is searched.",
                hint=f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(NAMES)}.",
            )
    if "size_share" in names and section.size_px is not None:
        raise UsageError("synth.tune.search: size_share has no effect beside size_px.", hint="Search size_px.")
    if command == "classify" and "per_photo" in names:
        raise UsageError("synth.tune.search: per_photo is 1 for classifiers.", hint="Leave it out.")
    return tuple(_knob(name, section, asked.get(name), usual_looks) for name in names)


def _knob(name: str, section: AnyConfig, given: tuple[float, float] | None, usual_looks: Mapping[str, float]) -> Knob:
    if name in _WORDS:
        if given is not None:
            raise UsageError(f"synth.tune.search: {name} has no range.", hint=f"Say {name}: null.")
        if name == "effects":
            return Switches(name)
        now = tuple(section.blends)
        return Weights(name, usual_looks) if name == "looks" else Choice(name, tuple(dict.fromkeys((now, *_BLENDS))))
    low, high = given or {**_SPANS, **_MOSTS, **_NUMBERS}[name]
    _check(name, section, low, high)
    if name in _SPANS:
        return Span(name, low, high)
    return Most(name, low, high, getattr(section, name)[0]) if name in _MOSTS else Number(name, low, high)


def _check(name: str, section: AnyConfig, low: float, high: float) -> None:
    """Refuse a range that is empty, or whose ends the setting does not take."""
    if not low < high:
        raise UsageError(f"synth.tune.search.{name}: [{low:g}, {high:g}] is no range.", hint="Say [lowest, highest].")
    ends: list[Any] = [(low, high)] if name in _SPANS else [low, high]
    if name in _MOSTS:
        ends = [(round(low), round(high))]
    for end in ends:
        with_settings(section, {name: end}, f"synth.tune.search.{name}")


def with_settings(section: AnyConfig, settings: Mapping[str, Any], where: str) -> AnyConfig:
    """Return the section with other settings, checked.

    Raises:
        UsageError: one is out of its range; the message begins with `where`.
    """
    try:
        return type(section).model_validate({**section.model_dump(), **settings})
    except ValidationError as error:
        told = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{where}: {told[0].lower()}{told[1:]}.") from error


def settings_at(knobs: Sequence[Knob], place: Place) -> dict[str, Any]:
    """Return the settings of a point."""
    return {knob.name: knob.setting(place) for knob in knobs}


def place_of(knobs: Sequence[Knob], section: AnyConfig) -> dict[str, float | int | str]:
    """Return the point that is nearest to a section's settings."""
    found: dict[str, float | int | str] = {}
    for knob in knobs:
        value = getattr(section, knob.name)
        if knob.name == "size_px" and value is None:
            value = tuple(share * section.image_size for share in section.size_share)
        found.update(knob.place(value))
    return found


def axes_of(knobs: Sequence[Knob]) -> tuple[Axis, ...]:
    """Return all axes of the space."""
    return tuple(axis for knob in knobs for axis in knob.axes)


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

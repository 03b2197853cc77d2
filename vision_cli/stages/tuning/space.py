"""What is searched: settings of `model` and `train`, each with what it is drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli import models
from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import UsageError
from vision_cli.core.project import Project
from vision_cli.core.search_config import RangeConfig
from vision_cli.stages.searching.axis import Axis, Place
from vision_cli.stages.training.fitting import FEATURES
from vision_cli.stages.tuning import applied

RATE, BACKBONE, SIZE, FREEZE = "train.learning_rate", "model.backbone", "model.input.size", "train.freeze"
_DIGITS = 3
_LARGEST_RATE = 10.0
_STRIDE = 32
_MOST_STEPS = 1000
_AROUND = 10.0
"""Searched are rates from a tenth of the range test's suggestion to ten times it, where the loss is least."""

_USUAL = {
    RATE: RangeConfig(low=1e-4, high=1e-2),
    "train.weight_decay": RangeConfig(low=1e-3, high=0.5),
    "train.label_smoothing": RangeConfig(low=0.0, high=0.2),
    "train.mixup": RangeConfig(low=0.0, high=0.4),
    "train.layer_decay": RangeConfig(low=0.5, high=1.0),
    "train.mosaic": RangeConfig(low=0.0, high=1.0),
    "train.copy_paste": RangeConfig(low=0.0, high=0.5),
    "model.dropout": RangeConfig(low=0.0, high=0.5),
    "model.features.C": RangeConfig(low=0.05, high=200.0),
    "model.features.pca": RangeConfig(low=16, high=256),
    "model.features.select": RangeConfig(low=64, high=1024),
    "model.features.neighbours": RangeConfig(low=1, high=25),
    FREEZE: RangeConfig(choice=["backbone", "none"]),
}
_BY_RATIOS = frozenset({RATE, "train.weight_decay", "model.features.C", "model.features.pca", "model.features.select"})
_OF_FEATURES = ("model.features.classifier", "model.features.C")
_OF_NETWORKS = (RATE, "train.weight_decay", "model.dropout", "train.augment", "train.optimizer")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that is searched.

    Attributes:
        name: as the user calls it.
        key: its dotted name.
        axis: what is drawn.
        low: least, of a range in steps.
        step: of a range in steps; 0 where it has none.
    """

    name: str
    key: str
    axis: Axis
    low: float = 0.0
    step: float = 0.0

    def value(self, place: Place) -> Any:
        """Return the setting's value at a point, as the project file would have it."""
        drawn = place[self.key]
        if self.axis.words:
            return applied.listed(str(drawn))
        if self.step:
            return _plain(self.low + self.step * float(drawn))
        if self.axis.whole:
            return int(drawn)
        return min(max(float(f"{float(drawn):.{_DIGITS}g}"), self.axis.low), self.axis.high)

    def place(self, value: Any) -> float | int | str | None:
        """Return the point of the axis that is nearest to a value; None where there is none."""
        if self.axis.words:
            return text if (text := _text(value)) in self.axis.words else None
        if isinstance(value, tuple):  # a size of equal sides is one number
            value = value[0] if len(set(value)) == 1 else None
        if value is None:
            return None
        return self.axis.nearest((float(value) - self.low) / self.step if self.step else float(value))

    def told(self) -> str:
        """Return what it is drawn from, in words."""
        if self.axis.words:
            return ", ".join(self.axis.words)
        low, high = (self.value({self.key: end}) for end in (self.axis.low, self.axis.high))
        more = " by ratios" if self.axis.log else f" in steps of {self.step:g}" if self.step else ""
        return f"{low:g} to {high:g}{more}"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else "[" + ", ".join(map(str, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What our own ranges depend on.

    Attributes:
        family: of the model, no `auto`.
        size_px: of the network's input now; None where it was not built.
        suggestion: learning rate of the range test; None without one.
        frozen: only the head learns.
        ignored: dotted names of settings without effect on this training.
    """

    family: str
    size_px: tuple[int, int] | None = None
    suggestion: float | None = None
    frozen: bool = False
    ignored: frozenset[str] = frozenset()


def usual_names(facts: Facts) -> tuple[str, ...]:
    """Return the dotted names that are searched where the project file names none."""
    return _OF_FEATURES if facts.family == FEATURES else _OF_NETWORKS


def named(asked: Mapping[str, Any], usual: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Return by dotted name what the user called it, and what it is to be drawn from.

    Raises:
        UsageError: a name is unknown, or two mean one setting.
    """
    found: dict[str, tuple[str, Any]] = {}
    for word, given in (asked or dict.fromkeys(usual)).items():
        key = applied.key_of(word)
        if key in found:
            raise UsageError(f"tune.search: '{word}' and '{found[key][0]}' are both {key}.", hint="Keep one.")
        found[key] = (word, given)
    return found


def space(project: Project, asked: Mapping[str, Any], facts: Facts) -> tuple[Setting, ...]:
    """Return what is searched, in order.

    Args:
        project: its section `tune` as declared.
        asked: names with their ranges, None for our own; what suits the model when empty.
        facts: what our own ranges depend on.

    Raises:
        UsageError: a name is unknown, a range is none, or a setting does not take its ends; naming the key.
    """
    found = []
    for key, (word, given) in named(asked, usual_names(facts)).items():
        if key in facts.ignored:
            if not asked:
                continue
            raise UsageError(
                f"tune.search.{word}: {key} has no effect on this training.", hint="Leave it out, or change the model."
            )
        found.append(_setting(project, (word, key), _range(word, key, given, facts), facts.family))
    return tuple(found)


def _range(word: str, key: str, given: Any, facts: Facts) -> RangeConfig:
    """Return what a setting is drawn from."""
    if isinstance(given, RangeConfig):
        return given
    if given is None:
        return _own(word, key, facts)
    numbers = applied.is_number(key) and not applied.words_of(key)
    if numbers and len(given) == 2:
        try:
            low, high = (float(end) for end in given)
        except ValueError:
            raise UsageError(
                f"tune.search.{word}: [{', '.join(given)}] is no range of numbers.", hint="Say [lowest, highest]."
            ) from None
        return RangeConfig(low=low, high=high)
    if not given:
        raise UsageError(f"tune.search.{word}: the list is empty.", hint="Name values, or say null for our own range.")
    return RangeConfig(choice=given)


def _own(word: str, key: str, facts: Facts) -> RangeConfig:
    if key == RATE and facts.suggestion is not None:
        return RangeConfig(low=facts.suggestion / _AROUND, high=min(_LARGEST_RATE, facts.suggestion * _AROUND))
    if key == "train.augment" and facts.frozen:
        return RangeConfig(choice=["none", "medium"])  # every preset but `none` is the same mirrored view
    if key == SIZE and facts.size_px is not None:
        sides = [max(_STRIDE, round(min(facts.size_px) * share / _STRIDE) * _STRIDE) for share in (0.75, 1, 1.25)]
        return RangeConfig(choice=list(dict.fromkeys(map(str, sides))))
    if key in _USUAL:
        return _USUAL[key]
    if words := applied.words_of(key):
        return RangeConfig(choice=list(words))
    raise UsageError(
        f"tune.search.{word}: there is no usual range of {key}.",
        hint=f"Say one, such as {_example(key)}.",
    )


def _example(key: str) -> str:
    name = key.rpartition(".")[2]
    if key == BACKBONE:
        return "backbone: [tf_efficientnet_lite0, mobilenetv3_large_100]"
    return f"{name}: [lowest, highest]" if applied.is_number(key) else f"{name}: [one, another]"


def _setting(project: Project, names: tuple[str, str], given: RangeConfig, family: str) -> Setting:
    word, key = names
    if given.choice:
        return Setting(word, key, Axis(key, words=_choices(project, names, given.choice, family)))
    low, high = float(given.low or 0.0), float(given.high or 0.0)
    if not (applied.is_number(key) or key == SIZE):
        raise UsageError(f"tune.search.{word}: {key} is no number and has no range.", hint="Say a list of values.")
    if not low < high:
        raise UsageError(f"tune.search.{word}: [{low:g}, {high:g}] is no range.", hint="Say [lowest, highest].")
    log = key in _BY_RATIOS and given.step is None if given.log is None else given.log
    if log and low <= 0:
        raise UsageError(
            f"tune.search.{word}: a range by ratios begins above 0, got {low:g}.",
            hint="Raise low, or say {low: 0, high: " + f"{high:g}" + ", log: false}.",
        )
    whole = applied.is_whole(key)
    if whole and not (low.is_integer() and high.is_integer()):
        raise UsageError(f"tune.search.{word}: {key} is a whole number.", hint="Say whole ends.")
    for end in (low, high):
        _check(project, word, key, _plain(end))
    if given.step is not None:
        return _stepped(word, key, low, high, given.step)
    return Setting(word, key, Axis(key, low, high, log, whole))


def _stepped(word: str, key: str, low: float, high: float, step: float) -> Setting:
    count = math.floor((high - low) / step + 1e-9)
    if not 1 <= count <= _MOST_STEPS:
        raise UsageError(
            f"tune.search.{word}: {count} steps of {step:g} fit between {low:g} and {high:g}.",
            hint=f"From 1 to {_MOST_STEPS:,} must.",
        )
    return Setting(word, key, Axis(key, 0, count, whole=True), low, step)


def _choices(project: Project, names: tuple[str, str], given: Sequence[str], family: str) -> tuple[str, ...]:
    word, key = names
    values = tuple(dict.fromkeys(given))
    if len(values) < 2:
        raise UsageError(f"tune.search.{word}: one value is nothing to search.", hint="Name two, or more.")
    for value in values:
        _check(project, word, key, value)
    if key == BACKBONE:
        _check_backbones(family, word, values)
    return values


def _check(project: Project, word: str, key: str, value: Any) -> None:
    """Refuse a value that the setting does not take.

    Raises:
        UsageError: naming the key and the value.
    """
    applied.with_settings(project, {key: applied.listed(value)}, f"tune.search.{word}: {value}")


def _check_backbones(family: str, word: str, values: Sequence[str]) -> None:
    known = models.names(family)
    for value in values:
        if value in known or value.partition(".")[0] in known or value.rpartition("/")[2].partition(".")[0] in known:
            continue
        guess = suggestion(value, known)
        raise UsageError(
            f"tune.search.{word}: the family '{family}' has no backbone '{value}'.",
            hint=f"Did you mean '{guess}'?" if guess else "`vision models list` shows some.",
        )


def probes(key: str, usual: Any) -> tuple[Any, ...]:
    """Return values of a setting that are not its usual one; nothing where we know none."""
    words = applied.words_of(key)
    own = _USUAL.get(key)
    numbers = () if own is None or own.choice else (own.low, own.high)
    return tuple(
        value for value in words or (own.choice if own is not None and own.choice else numbers) if value != usual
    )


def settings_at(settings: Sequence[Setting], place: Place) -> dict[str, Any]:
    """Return the settings of a point, by dotted name."""
    return {each.key: each.value(place) for each in settings}


def place_of(settings: Sequence[Setting], values: Mapping[str, Any]) -> dict[str, float | int | str]:
    """Return the point that is nearest to values by dotted name; an axis that cannot hold its value is left out."""
    found = {each.key: each.place(values.get(each.key)) for each in settings}
    return {key: place for key, place in found.items() if place is not None}


def axes_of(settings: Sequence[Setting]) -> tuple[Axis, ...]:
    """Return all axes of the space."""
    return tuple(each.axis for each in settings)

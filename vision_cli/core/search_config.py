"""The section `tune` of the project file: what `vision tune` searches, and how long."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from vision_cli.core.section import Positive, Section

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhd]\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def seconds_of(text: str) -> float:
    """Return the seconds of a text such as `90s`, `30m` or `1h30m`.

    Raises:
        ValueError: it is none, or none at all.
    """
    clean = text.strip().lower()
    found = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(clean)) if _TIME.fullmatch(clean) else 0
    if not found:
        raise ValueError(f"must be a time such as 90s, 30m or 1h30m, got {text!r}")
    return found


class RangeConfig(Section):
    """What one setting is drawn from: numbers from `low` to `high`, or one of `choice`."""

    low: float | None = None
    """Least."""
    high: float | None = None
    """Largest."""
    log: bool | None = None
    """Drawn evenly by ratios; by default for rates, decays and other settings that are thought of in powers of ten."""
    step: Positive | None = None
    """Numbers are `low` and whole steps from there, as image sizes of 32 pixels; not with `log`."""
    choice: list[str] = []
    """Values, one of which is drawn."""

    @field_validator("choice", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return texts(value)

    @model_validator(mode="after")
    def _whole(self) -> RangeConfig:
        if bool(self.choice) == (self.low is not None or self.high is not None):
            raise ValueError("say low and high, or choice")
        if not self.choice and (self.low is None or self.high is None):
            raise ValueError("a range has low and high")
        if self.step is not None and self.log:
            raise ValueError("step and log do not go together")
        return self


def texts(value: Any) -> Any:
    """Return a list with every item as the text that the project file would have."""
    return [_text(item) for item in value] if isinstance(value, list | tuple) else value


def _text(item: Any) -> str:
    if isinstance(item, list | tuple):
        return "[" + ", ".join(map(_text, item)) + "]"
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item)


class RangeTestConfig(Section):
    """The learning-rate range test (Smith 2015): one short training whose rate grows at each step."""

    low: Annotated[float, Field(gt=0, le=10)] = 1e-5
    """Learning rate of the first step."""
    high: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Learning rate of the last step; the test ends before where the loss runs away."""
    steps: Annotated[int, Field(ge=20, le=10_000)] = 100
    """Batches."""

    @model_validator(mode="after")
    def _grows(self) -> RangeTestConfig:
        if self.low >= self.high:
            raise ValueError(f"high must be above low, got {self.low:g} and {self.high:g}")
        return self


class SearchConfig(Section):
    """How `vision tune` searches settings of `model` and `train`; the validation split judges."""

    search: dict[str, RangeConfig | list[str] | None] = {}
    """What is searched, and from where to where: {learning_rate: [0.0001, 0.01], augment: [none, medium], dropout:
    null}. Two numbers are a range, for image sizes and words a list is a choice, null is our own range. By default what
    suits the model (docs/tune.md)."""
    trials: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Settings that are tried beside those of this file, in all calls together."""
    time: str | None = None
    """About how long a call may take, as 30m or 2h; as long as the trials take when absent."""
    epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Of a trial's training; those of `train.epochs` when absent."""
    pruner: Literal["median", "hyperband", "none"] = "median"
    """What ends hopeless trials early: `median` those below the median of the whole ones at the same epoch, `hyperband`
    two of three at growing numbers of epochs (Li et al. 2018)."""
    confirm: Annotated[int, Field(ge=0, le=20)] = 3
    """How often the best settings and those of this file are trained once more with other seeds, to tell a gain from
    luck."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed tries other settings."""
    range_test: RangeTestConfig | None = RangeTestConfig()
    """The learning-rate range test that comes first; `none` leaves it out."""

    @field_validator("search", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return {name: texts(item) for name, item in value.items()} if isinstance(value, dict) else value

    @field_validator("range_test", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return None if value == "none" else value

    @field_validator("time")
    @classmethod
    def _time(cls, value: str | None) -> str | None:
        if value is not None:
            seconds_of(value)
        return value

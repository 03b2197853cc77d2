"""What an evaluation of a model and one of another tool's results have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from vision_cli.core.dataset import Dataset
from vision_cli.core.kpi import Kpi
from vision_cli.core.project import Project


class Asked(Protocol):
    """A request; see `EvalRequest`."""

    @property
    def project(self) -> Project:
        """Data, split and KPIs."""

    @property
    def data(self) -> Path | None:
        """Another data set than the project's."""

    @property
    def junit(self) -> Path | None:
        """JUnit XML to write."""

    @property
    def markdown(self) -> Path | None:
        """Markdown to write."""


class Judged(Protocol):
    """What is judged, with its photos; see `Subject`."""

    @property
    def path(self) -> Path:
        """Of the model, or of the results."""

    @property
    def split(self) -> str:
        """Name."""

    @property
    def whole(self) -> Dataset:
        """The data set with all its splits."""

    @property
    def targets(self) -> tuple[Kpi, ...]:
        """KPIs to judge."""

    @property
    def run_name(self) -> str:
        """What follows the time in the name of the run's folder."""

    def model(self) -> dict[str, Any]:
        """Return the member `model` of `--json`."""

    def data(self) -> dict[str, Any]:
        """Return the member `data` of `--json`."""

    def runtime(self) -> dict[str, Any]:
        """Return the member `runtime` of `--json`."""

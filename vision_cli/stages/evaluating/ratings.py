"""`vision eval --ratings`: KPIs that no formula gives, judged by people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import reports
from vision_cli.core import files
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.metrics.ratings import Ratings, measure_ratings, read_ratings
from vision_cli.stages import places
from vision_cli.stages.evaluating import judging
from vision_cli.stages.evaluating.eval_plan import EvalPlan, named

_MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class RatingsRequest:
    """What to judge.

    Attributes:
        path: CSV with photo, rater, rating.
        project: its KPIs on ratings are judged when `kpis` is empty.
        kpis: such as `acceptance > 0.8`.
        junit: path of a JUnit XML file to write.
        markdown: path of a Markdown file to write.
    """

    path: Path
    project: Project
    kpis: tuple[Kpi, ...] = ()
    junit: Path | None = None
    markdown: Path | None = None


@dataclass(frozen=True, slots=True)
class RatingsResult:
    """What people say.

    Attributes:
        path: of the ratings.
        measurement: acceptance and agreement, with intervals over photos.
        raters: number of people.
        judgements: one a KPI.
    """

    path: Path
    measurement: Measurement
    raters: int
    judgements: tuple[Judgement, ...]

    @property
    def passed(self) -> bool:
        """Return whether every KPI is met."""
        return all(judgement.met for judgement in self.judgements)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        intervals: Mapping[str, list[float]] = {
            key: [each.low, each.high] for key, each in self.measurement.intervals.items()
        }
        return {
            "data": {"path": self.path, "photos": self.measurement.n_photos, "raters": self.raters},
            "metrics": dict(self.measurement.values),
            "intervals": intervals,
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "passed": self.passed,
            "warnings": list(self.measurement.warnings),
        }


def judge_ratings(request: RatingsRequest, progress: Progress) -> RatingsResult:
    """Judge people's ratings.

    Raises:
        DataError: the file is refused, with every bad row.
        UsageError: a KPI names another metric.
    """
    ratings, targets = _prepare(request)
    measurement = measure_ratings(ratings)
    progress.step("ratings", len(ratings.accepts), len(ratings.accepts))
    judgements = judging.judge_kpis(targets, measurement, runtime="people")
    result = RatingsResult(request.path, measurement, len(ratings.raters), judgements)
    reports.write(request.junit, request.markdown, result.as_json())
    return result


def plan_ratings(request: RatingsRequest) -> EvalPlan:
    """Read and check people's ratings, and say what would be judged and written.

    Raises:
        DataError: the file is refused, with every bad row.
        UsageError: a KPI names another metric.
    """
    ratings, targets = _prepare(request)
    data = {"path": str(request.path), "photos": len(ratings.photos), "raters": len(ratings.raters)}
    return EvalPlan(data, targets, named(request.junit, request.markdown))


def _prepare(request: RatingsRequest) -> tuple[Ratings, tuple[Kpi, ...]]:
    places.check_files(request.junit, request.markdown, project=request.project, reads=[request.path])
    targets = request.kpis or judging.of_ratings(request.project.config.targets())
    judging.check_ratings_kpis(targets)
    content = files.read_limited(request.path, max_bytes=_MAX_BYTES, what="the ratings file")
    return read_ratings(files.utf8(content, where=str(request.path)), request.path.name), targets

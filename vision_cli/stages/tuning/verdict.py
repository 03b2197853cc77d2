"""Whether what was found is better than the project file's settings, beyond the luck of seeds and of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from vision_cli.core.dataset import Dataset
from vision_cli.core.kpi import Interval
from vision_cli.core.progress import Progress
from vision_cli.metrics.paired import Difference, differences
from vision_cli.stages.kinds.kind import kind_of
from vision_cli.stages.running import loading
from vision_cli.stages.searching import verdict as seeds
from vision_cli.stages.searching.trial import BASE, FAILED, Trial, best_of, searched
from vision_cli.stages.tuning.request import Verdict


@dataclass(frozen=True, slots=True)
class Judging:
    """How trials are compared.

    Attributes:
        key: of the metric.
        up: higher is better.
        confirm: trainings with fresh seeds that were wanted of each.
        resamples: of the bootstrap over photos.
    """

    key: str
    up: bool
    confirm: int
    resamples: int = 1000


def difference(models: tuple[Path, Path], val: Dataset, how: Judging, progress: Progress) -> Difference | None:
    """Return by how much the first model exceeds the second on the same photos; None where that cannot be told.

    Raises:
        DataError: a model or a photo is refused.
    """
    parts = []
    for path in models:
        runner = loading.open_model(path)
        kind = kind_of(runner.card.task)
        said = kind.say(runner, val, progress, "compare")
        parts.append(kind.weighted(runner.card, said, val, (how.key.split("[", 1)[0],)))
    return differences(parts[0], parts[1], len(val), resamples=how.resamples).get(how.key)


def verdict(trials: Sequence[Trial], how: Judging, measured: Difference | None) -> Verdict | None:
    """Return what the trials say so far; None while none is whole.

    Args:
        trials: all of the journal.
        how: they are compared.
        measured: of the best model and the project file's, on the same photos.
    """
    base = next((each for each in searched(trials) if each.origin == BASE), None)
    best = best_of(trials, up=how.up)
    if base is None or best is None:
        return None
    if base.state == FAILED:
        said = f"The project file's own settings failed ({base.said}); the best of the search had {_told(best, how)}."
        return Verdict(base, best, (), (), None, None, None, True, said)
    found = seeds.verdict(list(trials), how.key, how.confirm, up=how.up)
    if found is None:
        return None
    if found.best is None:
        said = f"No settings did better than those of the project file ({_told(base, how)})."
        return Verdict(base, None, (), (), None, None, False, False, said)
    return _weighed(found, how, measured)


def _weighed(found: seeds.Verdict, how: Judging, measured: Difference | None) -> Verdict:
    best, interval = found.best or found.base, None if measured is None else measured.at()
    deterministic = _alike(found.before, found.base) and _alike(found.after, best)
    by_seeds = None if not how.confirm or found.better is None else (found.better or deterministic)
    by_photos = _beyond_photos(interval, up=how.up)
    better = None if by_seeds is None else by_seeds and by_photos is not False
    gain = mean((*found.after, best.score or 0.0)) - mean((*found.before, found.base.score or 0.0))
    propose = (gain if how.up else -gain) >= 0
    value = None if measured is None else measured.value
    said = " ".join(_sentences(found, how, (deterministic, better, propose), measured))
    return Verdict(found.base, best, found.before, found.after, value, interval, better, propose, said)


def _alike(fresh: Sequence[float], first: Trial) -> bool:
    """Return whether fresh seeds change nothing."""
    return bool(fresh) and all(score == first.score for score in fresh)


def _beyond_photos(interval: Interval | None, *, up: bool) -> bool | None:
    if interval is None:
        return None
    return interval.low > 0 if up else interval.high < 0


def _sentences(
    found: seeds.Verdict, how: Judging, said: tuple[bool, bool | None, bool], measured: Difference | None
) -> list[str]:
    deterministic, better, propose = said
    best = found.best or found.base
    lines = [f"The best of the search has {_told(best, how)}, the project file's settings {_told(found.base, how)}."]
    if found.after and found.before:
        if deterministic:
            lines.append(f"{len(found.after)} other seeds change nothing in either.")
        else:
            lines.append(
                f"With {len(found.after)} fresh seeds {mean(found.after):.4g} against {mean(found.before):.4g} on "
                f"average, {'' if found.better else 'not '}each better than each."
            )
    else:
        lines.append("Neither was trained again with other seeds: that may be luck.")
    if measured is not None:
        at = measured.at()
        inside = at.low <= 0 <= at.high
        lines.append(
            f"On the same {measured.n_photos} photos the difference is {measured.value:+.3g} "
            f"[{at.low:+.3g}, {at.high:+.3g}] at 95 %{': within noise' if inside else ''}."
        )
    if not propose:
        lines.append("On average of all seeds it is worse: nothing is proposed.")
    elif better is False:
        lines.append("At least as good, but not shown to be better.")
    return lines


def _told(trial: Trial, how: Judging) -> str:
    return f"{how.key} {trial.score:.4g}" if trial.score is not None else "no score"

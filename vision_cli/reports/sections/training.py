"""The training run: how it went, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.reports.charts.lines import Series, line_chart
from vision_cli.reports.document import TrainSection
from vision_cli.reports.elements import Markup, element, facts, figure, name, note, photo, row, section, table
from vision_cli.reports.wording import NOTHING, count, duration, is_number, label, plain

_COLUMNS = ("train_loss", "val_loss", "val_score", "learning_rate", "seconds")
_HEADS = ("epoch", "train loss", "val loss", "val score", "learning rate", "seconds")


def training(shown: TrainSection) -> Markup:
    """Return the part about the training."""
    rows = [each for each in shown.epochs if is_number(each.get("epoch"))]
    best = _best(rows, shown.best_by)
    charts = [each for each in (_losses(rows, best), _scores(rows, best), _rates(rows)) if each is not None]
    return section(
        "Training",
        "training",
        facts(_facts(shown, rows)),
        element("ul", *(element("li", line) for line in shown.how), class_="how") if shown.how else None,
        element("div", *charts, class_="charts") if charts else note("No epochs: nothing was trained step by step."),
        _fit(shown.fit),
        _pictures(shown),
        _epochs(rows),
        _settings(shown),
    )


def _facts(shown: TrainSection, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = [("Run", name(shown.run)), ("Time in all", duration(shown.seconds))]
    if rows:
        pairs.append(("Epochs", f"{len(rows):,}"))
    best = _best(rows, shown.best_by)
    if best is None:
        return pairs
    row_, by_loss = rows[best], shown.best_by == "val_loss"
    score = label(shown.score)
    best_score = f"{score}, best epoch" if score else "Best validation score"
    first = "Least validation loss" if by_loss else best_score
    pairs.append((first, f"{plain(row_[shown.best_by])} in epoch {plain(row_['epoch'])}"))
    other, words = (
        ("val_score", f"{score or 'Validation score'} there") if by_loss else ("val_loss", "Validation loss there")
    )
    if is_number(row_.get(other)):
        pairs.append((words, plain(row_[other])))
    return pairs


def _best(rows: Sequence[Mapping[str, Any]], best_by: str) -> int | None:
    """Return the row with the least validation loss, or the greatest score, whose weights training keeps."""
    known = [index for index, each in enumerate(rows) if is_number(each.get(best_by))]
    sign = 1 if best_by == "val_loss" else -1
    return min(known, key=lambda index: sign * float(rows[index][best_by]), default=None)


def _series(
    rows: Sequence[Mapping[str, Any]], key: str, title: str, kind: str, best: int | None = None
) -> list[Series]:
    points = [(float(each["epoch"]), float(each[key]) if is_number(each.get(key)) else None) for each in rows]
    if not any(value is not None for _, value in points):
        return []
    return [Series(title, kind, points, best)]


def _losses(rows: Sequence[Mapping[str, Any]], best: int | None) -> Markup | None:
    series = _series(rows, "train_loss", "train loss", "train") + _series(rows, "val_loss", "val loss", "val", best)
    return _chart("Loss by epoch", "loss", series)


def _scores(rows: Sequence[Mapping[str, Any]], best: int | None) -> Markup | None:
    return _chart("Validation score by epoch", "score", _series(rows, "val_score", "val score", "val", best))


def _rates(rows: Sequence[Mapping[str, Any]]) -> Markup | None:
    return _chart("Learning rate by epoch", "rate", _series(rows, "learning_rate", "learning rate", "rate"))


def _chart(title: str, unit: str, series: list[Series]) -> Markup | None:
    if not series:
        return None
    ends = [(each.name, [value for _, value in each.points if value is not None]) for each in series]
    what = f"{title}: " + "; ".join(f"{key} from {plain(values[0])} to {plain(values[-1])}" for key, values in ends)
    ring = any(each.mark is not None for each in series)
    remark = note("The ring is the epoch whose weights were kept.") if ring else None
    return figure(title, line_chart(series, ("epoch", unit), what), remark)


def _fit(fit: Mapping[str, Any]) -> Markup | None:
    """Return whether it overfits, and what to try."""
    if not fit:
        return None
    title = element("h3", f"Learned or learned by heart: {fit['verdict']}")
    tries = [element("li", str(each)) for each in fit.get("try", ())]
    advice = [element("p", "What to try, the likeliest first:"), element("ul", *tries, class_="how")] if tries else []
    return element("div", title, element("p", str(fit["reason"])), *advice)


def _pictures(shown: TrainSection) -> Markup | None:
    """Return the sheets of photos that the training kept, each as wide as the page."""
    if not shown.pictures:
        return None
    sheets = (
        element("figure", element("figcaption", title), element("div", photo(jpeg, title), class_="sheet", tabindex=0))
        for title, jpeg in shown.pictures
    )
    return element("div", element("h3", "What it saw and said"), *sheets, class_="sheets")


def _epochs(rows: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not rows:
        return None
    lines = [
        row(plain(each["epoch"]), *(plain(each[key]) if is_number(each.get(key)) else NOTHING for key in _COLUMNS))
        for each in rows
    ]
    inner = table("Every epoch", _HEADS, lines, "figures long")
    return element("details", element("summary", f"Figures of {count(len(rows), 'epoch')}"), inner, class_="bulk")


def _settings(shown: TrainSection) -> Markup | None:
    settings = [row(key, name(value, 200)) for key, value in shown.settings]
    versions = [row(key, name(str(value), 200)) for key, value in shown.versions.items()]
    tables = [
        table(title, (head, "value"), rows, "pairs")
        for title, head, rows in (("Settings", "setting", settings), ("Versions", "part", versions))
        if rows
    ]
    if not tables:
        return None
    return element("details", element("summary", "Settings and versions"), element("div", *tables, class_="charts"))

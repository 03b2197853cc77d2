"""People's ratings of photos: what no formula measures.

A CSV with a header: a photo, a rater, a rating a row. Ratings are yes/no (also true/false, accept/reject, 1/0), or
1 to 5, where 4 and 5 accept. A photo is accepted when more than half of its raters accept it; a tie does not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.core.measurement import Measurement, Spread
from vision_cli.metrics import agreement
from vision_cli.metrics.bootstrap import Counts, Sums
from vision_cli.metrics.intervals import Share, effective_size
from vision_cli.metrics.subject import Figures, combined

_COLUMNS = {
    "photo": ("photo", "path", "image", "file", "filename"),
    "rater": ("rater", "user", "annotator", "person"),
    "rating": ("rating", "answer", "accepted", "score"),
}
_WORDS = {
    **dict.fromkeys(("yes", "y", "true", "accept", "accepted"), True),
    **dict.fromkeys(("no", "n", "false", "reject", "rejected"), False),
}
_BINARY = {"1": True, "0": False}
_STARS = {"1": False, "2": False, "3": False, "4": True, "5": True}
_DELIMITERS = (",", ";", "\t")
_MOST_DETAILS = 20
_HINT = "A rating is yes or no, true or false, accept or reject, 1 or 0, or 1 to 5 (4 and 5 accept)."


@dataclass(frozen=True, slots=True)
class Ratings:
    """Who accepted which photo; one entry a rating.

    Attributes:
        photos: names, in order of appearance.
        raters: names, in order of appearance.
        photo_ids: int64 (M,), index into photos.
        rater_ids: int64 (M,), index into raters.
        accepts: int64 (M,), 1 or 0.
    """

    photos: tuple[str, ...]
    raters: tuple[str, ...]
    photo_ids: Counts
    rater_ids: Counts
    accepts: Counts

    def counts(self) -> Counts:
        """Return int64 (N, 2): how many raters reject and accept each photo."""
        counts = np.bincount(self.photo_ids * 2 + self.accepts, minlength=2 * len(self.photos))
        return np.asarray(counts.reshape(-1, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    photo: str
    rater: str
    rating: str


def read_ratings(text: str, name: str) -> Ratings:
    """Read ratings from CSV text.

    Args:
        text: the file's text.
        name: of the file, for messages.

    Raises:
        DataError: a column is missing, there is no row, or rows are wrong; each with its line.
    """
    try:
        rows = list(_rows(text.removeprefix("\ufeff"), name))
    except csv.Error as error:
        raise DataError(f"{name}: not a CSV file: {error}.") from error
    scale = _scale(rows, name)
    problems = _problems(rows, scale, name)
    if problems:
        more = [f"and {len(problems) - _MOST_DETAILS} more"] if len(problems) > _MOST_DETAILS else []
        message = f"{name}: {len(problems)} of {len(rows)} ratings are refused."
        raise DataError(message, hint=_HINT, details=[*problems[:_MOST_DETAILS], *more])
    photos, raters = (_ids([getattr(row, field) for row in rows]) for field in ("photo", "rater"))
    accepts = np.array([scale[row.rating] for row in rows], dtype=np.int64)
    return Ratings(photos[0], raters[0], photos[1], raters[1], accepts)


def _rows(text: str, name: str) -> Iterator[_Row]:
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    places = [_place(header, what, name) for what in _COLUMNS]
    for cells in reader:
        if any(cell.strip() for cell in cells):
            photo, rater, rating = (cells[place].strip() if place < len(cells) else "" for place in places)
            yield _Row(reader.line_num, photo, rater, rating.lower())


def _place(header: list[str], what: str, name: str) -> int:
    found = [place for place, cell in enumerate(header) if cell in _COLUMNS[what]]
    if len(found) != 1:
        raise DataError(
            f"{name}:1: {'several columns' if found else 'no column'} for the {what} in: {', '.join(header)}.",
            hint=f"The header names photo, rater and rating; for {what} also: {', '.join(_COLUMNS[what][1:])}.",
        )
    return found[0]


def _scale(rows: list[_Row], name: str) -> dict[str, bool]:
    """Return what each rating of this file means: a 1 alone is a yes, or the worst of five.

    Raises:
        DataError: no ratings, or nothing tells the two apart.
    """
    said = {row.rating for row in rows}
    if not said:
        raise DataError(f"{name}: holds no rating.", hint="One row a photo and rater.")
    if said & (set(_STARS) - set(_BINARY)):
        return _STARS
    if "1" in said and "0" not in said and not said & set(_WORDS):
        raise DataError(f"{name}: every rating is 1: yes, or the worst of five?", hint="Write yes and no.")
    return {**_WORDS, **_BINARY}


def _problems(rows: list[_Row], scale: dict[str, bool], name: str) -> list[str]:
    problems = []
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        empty = [what for what in ("photo", "rater") if not getattr(row, what)]
        earlier = first.setdefault((row.photo, row.rater), row.line)
        if empty:
            problems.append(f"{name}:{row.line}: no {' and no '.join(empty)}")
        elif row.rating not in scale:
            kind = "1 to 5" if scale is _STARS else "yes or no"
            problems.append(f"{name}:{row.line}: rating {row.rating!r} is not {kind}, as the file's others are")
        elif earlier != row.line:
            problems.append(f"{name}:{row.line}: {row.rater!r} rated {row.photo!r} in line {earlier} already")
    return problems


def _ids(names: list[str]) -> tuple[tuple[str, ...], Counts]:
    index = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(index), np.array([index[name] for name in names], dtype=np.int64)


def measure_ratings(ratings: Ratings, *, resamples: int = 1000, seed: int = 0) -> Measurement:
    """Measure acceptance and the raters' agreement, with intervals over photos; the raters are taken as given."""
    counts = ratings.counts()
    totals, photos = counts.sum(axis=1), len(counts)
    accepted = float((2 * counts[:, 1] > totals).mean())
    of_all = Sums(np.stack([counts[:, 1], totals], axis=1).astype(np.float64), lambda sums: sums[:, :1] / sums[:, 1:])
    rate = float(of_all.values()[0])
    error = float(of_all.standard_errors(resamples, np.random.default_rng(seed))[0])
    shares = {
        "acceptance": Share(accepted, photos),
        "acceptance_rate": Share(rate, effective_size(rate, error, photos)),
    }
    shown = Figures({"acceptance": accepted, "acceptance_rate": rate}, shares, _warnings(ratings, counts))
    return combined([shown, _agreement(ratings, counts, resamples, seed)], photos)


def _agreement(ratings: Ratings, counts: Counts, resamples: int, seed: int) -> Figures:
    coefficients = {
        "rater_agreement": agreement.pairwise_agreement(counts),
        "fleiss_kappa": agreement.fleiss_kappa(counts),
        "cohen_kappa": _cohen(ratings),
        "krippendorff_alpha": agreement.krippendorff_alpha(counts),
    }
    values: dict[str, float | None] = dict.fromkeys(coefficients)
    spreads: dict[str, Spread] = {}
    for key, sums in coefficients.items():
        value = float(sums.values()[0]) if sums is not None else float("nan")
        if sums is None or not np.isfinite(value):
            continue
        values[key] = value
        spread = sums.spreads(resamples, np.random.default_rng(seed))[0]
        spreads |= {} if spread is None else {key: spread}
    return Figures(values, spreads, _agreement_warnings(values))


def _cohen(ratings: Ratings) -> Sums | None:
    """Return Cohen's kappa when exactly two people rated; of the photos that both rated."""
    if len(ratings.raters) != 2:
        return None
    answers = np.full((len(ratings.photos), 2), -1, dtype=np.int64)
    answers[ratings.photo_ids, ratings.rater_ids] = ratings.accepts
    both = answers[(answers >= 0).all(axis=1)]
    return agreement.cohen_kappa(both[:, 0], both[:, 1], 2) if len(both) else None


def _warnings(ratings: Ratings, counts: Counts) -> tuple[str, ...]:
    ties, alone = int((counts[:, 0] == counts[:, 1]).sum()), int((counts.sum(axis=1) == 1).sum())
    said = []
    if ties:
        said.append(f"{ties} of {len(counts)} photos are ties: they count as not accepted.")
    if alone:
        said.append(f"{alone} of {len(counts)} photos have one rating only: they say nothing about agreement.")
    if len(ratings.raters) == 1:
        said.append("one person rated: the figures are that person's opinion.")
    return tuple(said)


def _agreement_warnings(values: dict[str, float | None]) -> tuple[str, ...]:
    if values["rater_agreement"] is not None and values["krippendorff_alpha"] is None:
        return ("every rating is the same: agreement beyond chance is not defined.",)
    return ()

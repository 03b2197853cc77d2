"""Checks of what belongs together: labels without photo, photos without label."""

from __future__ import annotations

import numpy as np

from vision_cli.checks.finding import NONE, NOWHERE, Finding, Ids, Offenders, counted, found
from vision_cli.checks.request import Request


def source_refused(request: Request) -> list[Finding]:
    """Tell why a reader refused the labels; the photos alone are checked then."""
    if not request.refusal:
        return []
    message, *details = request.refusal
    reason = f"The labels cannot be read, so only the photos are checked: {message} {' | '.join(details)}".strip()
    number = float(max(1, len(details)))
    return found("source-refused", reason, NOWHERE, figure=number, hint="Mend the labels first.")


def label_without_photo(request: Request) -> list[Finding]:
    """Find labels whose photo is not there."""
    files = request.files
    if files is None:
        return []
    rows, lone = np.flatnonzero(files.missing), files.lone_labels
    number = len(rows) + len(lone)
    if not number:
        return []
    if len(rows) == len(request.dataset) and not lone:
        reason = f"None of the {counted(number, 'photo')} that the labels name is there."
        hint = "Say where they are with --images-root, or check labels alone: --skip label-without-photo."
        return found("label-without-photo", reason, _places(rows, ()), hint=hint, severity="warning")
    reason = f"The labels of {counted(number, 'photo')} have no photo."
    hint = "Get the photos, or remove the labels: `vision data fix --repair drop-missing-photos`."
    return found("label-without-photo", reason, _places(rows, lone), hint=hint, fixable="drop-missing-photos")


def photo_without_label(request: Request) -> list[Finding]:
    """Find photos that no label stands on, and photo files that no label names."""
    if request.refusal:
        return []
    rows = np.flatnonzero(request.per_photo == 0)
    lone = request.files.lone_photos if request.files else ()
    if request.files is not None:
        rows = rows[~request.files.missing[rows]]
    number = len(rows) + len(lone)
    named = f", {len(lone):,} of them unknown to the labels" if lone else ""
    reason = f"{counted(number, 'photo')} of {len(request.dataset) + len(lone):,} have no label{named}."
    hint = (
        "Photos without any object are good to learn from if nothing is on them; forgotten ones teach the wrong thing."
    )
    return found("photo-without-label", reason, _places(rows, lone), hint=hint)


def _places(rows: Ids, files: tuple[str, ...]) -> Offenders:
    """Return rows of photos, then files that have none."""
    images = np.concatenate([rows, np.full(len(files), NONE)]).astype(np.int64)
    none = np.full(len(images), NONE, dtype=np.int64)
    names = ("",) * len(rows) + tuple(files)
    return Offenders(images, none, none, none, np.full(len(images), np.nan), names if files else ())

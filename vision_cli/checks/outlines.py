"""Checks of outlines: polygons and masks."""

from __future__ import annotations

import numpy as np

from vision_cli.checks.finding import Finding, at_annotations, counted, found
from vision_cli.checks.request import Request

_OF_SIDE = 0.05


def outline_broken(request: Request) -> list[Finding]:
    """Find outlines that are no polygons and no mask."""
    facts = request.outlines
    if facts is None or not facts.faults:
        return []
    rows = np.array([row for row, _ in facts.faults], dtype=np.int64)
    reason = f"{counted(len(rows), 'outline')} cannot be read; the first: {facts.faults[0][1]}"
    hint = "`vision data fix --repair drop-broken-outlines` keeps their boxes alone."
    where = at_annotations(rows, request.rows[rows])
    return found("outline-broken", reason, where, hint=hint, fixable="drop-broken-outlines")


def outline_crosses_itself(request: Request) -> list[Finding]:
    """Find polygons of which two edges cross."""
    facts = request.outlines
    if facts is None:
        return []
    rows = np.flatnonzero(facts.crossing)
    reason = f"{counted(len(rows), 'outline')} cross themselves: tools fill such differently, and areas come out wrong."
    hint = "Look at them; most are a corner dragged over another."
    return found("outline-crosses-itself", reason, at_annotations(rows, request.rows[rows]), hint=hint)


def outline_over_edge(request: Request) -> list[Finding]:
    """Find outlines that leave their photo by more than a tolerance."""
    facts = request.outlines
    if facts is None:
        return []
    sizes, bounds = request.sizes, facts.bounds
    out = np.maximum(-bounds[:, :2], bounds[:, 2:] - sizes).max(axis=1)
    rows = np.flatnonzero((sizes > 0).all(axis=1) & (out > request.settings.edge_px))
    rows = rows[np.argsort(-out[rows], kind="stable")]
    reason = f"{counted(len(rows), 'outline')} leave their photo by more than {request.settings.edge_px:g} px."
    where = at_annotations(rows, request.rows[rows], out[rows])
    hint = "Was the photo cropped or shrunk after it was labelled?"
    return found("outline-over-edge", reason, where, hint=hint, measure="beyond the edge, px")


def outline_off_box(request: Request) -> list[Finding]:
    """Find outlines whose bounds are not their box: further off than some pixels and 5 % of the side."""
    facts, boxes = request.outlines, request.boxes
    if facts is None:
        return []
    edges = np.stack([boxes.left, boxes.top, boxes.right, boxes.bottom], axis=1)
    off = np.abs(facts.bounds - edges)
    sides = np.stack([boxes.width, boxes.height] * 2, axis=1)
    with np.errstate(invalid="ignore"):
        wrong = (off > request.settings.off_box_px + _OF_SIDE * np.maximum(sides, 0)).any(axis=1)
    worst = off.max(axis=1)
    rows = np.flatnonzero(wrong & boxes.there & boxes.upright)
    rows = rows[np.argsort(-worst[rows], kind="stable")]
    reason = (
        f"{counted(len(rows), 'outline')} are not where their box is: an edge is off by more than "
        f"{request.settings.off_box_px:g} px and {_OF_SIDE:.0%} of the side. One of the two is wrong."
    )
    where = at_annotations(rows, request.rows[rows], worst[rows])
    hint = "`vision data fix --repair boxes-from-outlines` takes the outlines' word."
    return found("outline-off-box", reason, where, hint=hint, fixable="boxes-from-outlines", measure="edge off by, px")

"""The files for other machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.reports import wording
from vision_cli.reports.elements import Markup, badge, element, join, name, row, section, table
from vision_cli.reports.wording import is_number

_HEAD = ("file", "same answers as torch", "format", "precision", "size", "decides alike", "largest difference")


def exports(shown: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the part about the exported files."""
    return section(
        "Exports", "exports", table("Files for other machines", _HEAD, [_row(each) for each in shown], "files")
    )


def _row(file: Mapping[str, Any]) -> Markup:
    parity = file.get("parity") or {}
    return row(
        name(str(file.get("path", "")), 120),
        _verdict(parity),
        str(file.get("format", "")),
        str(file.get("precision", "")),
        wording.figure(file.get("size_mb"), "size_mb"),
        _agreement(file, parity),
        wording.plain(parity["max_score_difference"], 2)
        if is_number(parity.get("max_score_difference"))
        else wording.NOTHING,
    )


def _agreement(file: Mapping[str, Any], parity: Mapping[str, Any]) -> Markup:
    photos = parity.get("n_photos", file.get("photos"))
    number = f"of {wording.count(photos, 'photo')}" if isinstance(photos, int) and photos else None
    return join([wording.per_cent(parity.get("agreement")), element("small", number) if number else None])


def _verdict(parity: Mapping[str, Any]) -> Markup:
    if not parity:
        return badge("not checked", "none")
    passed = bool(parity.get("passed"))
    reason = parity.get("reason")
    return join(
        [
            badge("same" if passed else "differs", "pass" if passed else "fail"),
            element("small", str(reason)) if reason else None,
        ]
    )

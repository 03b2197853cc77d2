"""The photos: how many, how large, what they look like, what they cannot support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vision_cli.reports.charts.axes import legend
from vision_cli.reports.charts.columns import histogram
from vision_cli.reports.charts.points import cloud
from vision_cli.reports.charts.spans import stack
from vision_cli.reports.document import DataSection
from vision_cli.reports.elements import Markup, beside, element, figure, name, note, row, section, table
from vision_cli.reports.sections.pictures import gallery
from vision_cli.reports.wording import count, is_number, one_line

_DIGEST_LENGTH = 12


def data(shown: DataSection) -> Markup:
    """Return the part about the photos."""
    digest = element("code", one_line(shown.digest)[:_DIGEST_LENGTH], title=shown.digest)
    return section(
        "Data",
        "data",
        _findings(shown.findings),
        *_blocks(shown),
        gallery("Sample photos", shown.samples),
        element("p", "Digest of paths, splits and labels: ", digest, class_="note"),
    )


def _blocks(shown: DataSection) -> list[Markup | None]:
    counts, sizes, values = _counts(shown), _sizes(shown.sizes_px), _values(shown)
    if values is None:
        return [beside(counts, sizes)]
    return [counts, element("div", values, sizes, class_="charts")]


def _findings(findings: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not findings:
        return note("No finding: nothing in the data contradicts the plan.")
    return element("ul", *(_finding(each) for each in findings), class_="findings")


def _finding(finding: Mapping[str, Any]) -> Markup:
    code = finding.get("code")
    return element("li", str(finding.get("message", "")), " ", element("code", str(code)) if code else None)


def _counts(shown: DataSection) -> Markup:
    totals = {each: sum(numbers) for each, numbers in shown.counts.items()}
    most = max(totals.values(), default=0)
    rows = [
        row(
            name(each) if shown.values == {} else "all photos",
            *(f"{number:,}" if number else element("strong", "0", class_="zero") for number in numbers),
            f"{totals[each]:,}",
            stack(numbers, most),
        )
        for each, numbers in shown.counts.items()
    ]
    caption = (
        "Photos by split"
        if shown.values
        else f"{shown.counted.capitalize()}s by class and split, {count(len(rows), 'class', 'classes')}"
    )
    box = table(
        caption, ("class", *shown.splits, "all", ""), rows, "figures counts" + (" long" if len(rows) > 20 else "")
    )
    key = legend([(each, f"split{number}") for number, each in enumerate(shown.splits)])
    return element("div", box, key, _range(totals, shown.counted) if len(rows) > 1 else None)


def _range(totals: Mapping[str, int], what: str) -> Markup:
    """Return one line on the smallest and largest class."""
    least, most = min(totals, key=lambda each: totals[each]), max(totals, key=lambda each: totals[each])
    if totals[least] == totals[most]:
        return note(f"Every class has {count(totals[most], what)}.")
    texts = (f" has the fewest {what}s ({totals[least]:,}), ", f" the most ({totals[most]:,}).")
    return element("p", name(least, 40), texts[0], name(most, 40), texts[1], class_="note")


def _sizes(sizes_px: Sequence[tuple[int, int]]) -> Markup | None:
    if not sizes_px:
        return None
    widths, heights = (np.array(each) for each in zip(*sizes_px, strict=True))
    if len(set(sizes_px)) == 1:
        text = f"Every photo is {widths[0]:,} × {heights[0]:,} px."
        return figure("Photo sizes", note(text))
    ranges = f"widths {widths.min():,} to {widths.max():,} px, heights {heights.min():,} to {heights.max():,} px"
    middle = f"median {np.median(widths):,.0f} × {np.median(heights):,.0f} px"
    what = f"{count(len(sizes_px), 'photo')}; {ranges}, {middle}"
    drawn = cloud([(float(x), float(y)) for x, y in sizes_px], ("width in px", "height in px"), what)
    return figure("Photo sizes", drawn, note(what + "."))


def _values(shown: DataSection) -> Markup | None:
    values = [value for group in shown.values.values() for value in group if is_number(value)]
    if not values:
        return None
    what = f"{count(len(values), 'value')} from {min(values):.4g} to {max(values):.4g}, median {np.median(values):.4g}"
    return figure("Values", histogram(shown.values, ("value", "photos"), what), note(what + "."))

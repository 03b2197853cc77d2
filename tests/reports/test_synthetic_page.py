"""The page of a run of `vision synth`: all that it is given is on it, escaped, and it asks nothing of a network."""

from __future__ import annotations

import re

from vision_cli.reports.document import Picture
from vision_cli.reports.synthetic import Apart, Group, Shares, Spread, SyntheticRun, render

EVIL = "<script>alert(1)</script>"


def run(**more) -> SyntheticRun:
    given = {
        "title": EVIL,
        "facts": [("photos", "12")],
        "spreads": [Spread("Size", "px", [10.0, 20.0, 30.0], (5.0, 40.0), "Said."), Spread("Tilt", "degrees", [])],
        "choices": [Shares("Objects by class", [(EVIL, 3, 0.5), ("kiwi", 1, None)])],
        "rejects": [("overlaps another", 1234)],
        "samples": [Picture(b"jpeg", "000000.jpg", "kiwi")],
    }
    return SyntheticRun(**{**given, **more})


def apart(chance: float) -> Apart:
    groups = [Group("0.1 to 0.2", 40, 12.5), Group("0.2 to 0.4", 41, 3.25)]
    return Apart("Far.", [("AUC", "0.99")], [("size", chance, groups)], [Picture(b"j", "a.jpg", "a.jpg")])


def test_everything_is_there_and_escaped():
    page = render(run(apart=apart(0.002), aside=("2 of 9 are set aside.", b"sheet"), notes=("A note.",)))
    assert EVIL not in page
    for words in ("1,234", "overlaps another", "2 of 9 are set aside.", "A note.", "12.5", "3.25 nearest", "0.002"):
        assert words in page
    assert "Tilt" not in page  # nothing of it
    assert "asked for: 5 to 40" in page


def test_three_of_four_objects_are_75_per_cent():
    cells = re.findall(r"<td>([^<]*)</td>", render(run()))
    assert cells[:6] == ["3", "75 %", "50 %", "", "1", "25 %"] or cells[:3] == ["3", "75 %", "50 %"]


def test_nothing_is_asked_of_a_network():
    page = render(run(apart=apart(0.5)))
    assert not re.search(r"https?://|<script|@import|url\(", page)
    assert "beyond chance" in page
    assert "nearest" not in page


def test_a_run_without_objects_has_a_page():
    page = render(run(spreads=[], choices=[Shares("Objects by class", [("kiwi", 0, 1.0)])], rejects=[]))
    assert "There is no object." in page
    assert "Tried in vain" not in page

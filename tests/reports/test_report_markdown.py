"""Markdown whose tables hold together whatever the names are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_documents import EVIL, judged, result

from vision_cli.reports import markdown

CLASSES = ("dress", "hat")


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables as GitHub reads them: a pipe that is not escaped parts two cells."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [each for each in found if each]


def test_every_kpi_stands_with_its_verdict() -> None:
    passed, failed = judged("top1 >= 0.85", 0.9583, (0.9062, 0.9821)), judged("f1 > 0.98", 0.9579, (0.8972, 0.9834))
    text = markdown.render(result(CLASSES, passed, failed))
    rows = tables(text)[0]
    assert text.startswith("## ❌ efficientnet on torch\n\n**1 of 2 KPIs met**")
    assert rows[2] == ["✅ pass", "`top1 >= 0.85`", "0.9583", "0.9062 – 0.9821", ""]
    assert rows[3][:4] == ["❌ fail", "`f1 > 0.98`", "0.9579", "0.8972 – 0.9834"]
    assert f"about {failed['more_photos']} more test photos" in rows[3][4]


def test_a_kpi_of_another_runtime_does_not_count() -> None:
    text = markdown.render(result(CLASSES, judged("top1 > 0.8", 0.9), judged("latency_ms.p95 < 33 @ tflite", 9.0)))
    assert "✅" in text.splitlines()[0]
    assert "**1 of 1 KPI met**" in text
    assert "Declared for tflite, and torch ran." in text


def test_figures_have_units_and_missing_ones_a_dash() -> None:
    rows = {row[1]: row for table in tables(markdown.render(result(CLASSES))) for row in table}
    assert rows["`latency_ms.p95`"][2] == "19.83 ms"
    assert rows["`top1`"][2:] == ["0.902", "0.839 – 0.944"]
    assert rows["`memory_mb`"][2] == "–"


@pytest.mark.parametrize("name", EVIL)
def test_any_class_name_keeps_the_tables_whole(name: str) -> None:
    text = markdown.render(result((name, "hat"), judged("top1 > 0.5", 0.9), warnings=[name]))
    found = tables(text)
    assert all(len({len(row) for row in table}) == 1 for table in found)
    assert len(found[-1]) == 2 + 2
    assert "<script" not in text
    text.encode()


@given(st.text(max_size=60))
def test_text_and_code_stay_in_one_cell(value: str) -> None:
    for written in (markdown.text(value), markdown.code(value)):
        assert len(written.splitlines()) <= 1
        assert re.search(r"(?<!\\)\|", written) is None
    fence = re.match("`+", markdown.code(value))
    assert fence is not None
    inside = markdown.code(value)[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert re.search(r"(?<!\\)[<*_\[`]", markdown.text(value)) is None


def test_ratings_have_no_model() -> None:
    ratings = {
        "data": {"path": "r.csv", "photos": 40},
        "metrics": {"acceptance": 0.8125},
        "kpis": [judged("acceptance > 0.7", 0.8125)],
    }
    text = markdown.render(ratings)
    assert text.startswith("## ✅ People's ratings")
    assert "0.812" in text
    assert "Judged on 40 photos" in text

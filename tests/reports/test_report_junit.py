"""JUnit XML that a CI can read."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree
from report_documents import EVIL, judged, result

from vision_cli import reports
from vision_cli.core.errors import UsageError
from vision_cli.reports import junit

CLASSES = ("dress", "hat")
KPIS = (
    judged("top1 >= 0.85", 0.9583, (0.9062, 0.9821)),
    judged("f1 > 0.98", 0.9579, (0.8972, 0.9834)),
    judged("recall[hat] >= 0.9", 1.0, (0.7575, 1.0), confidence=0.95),
    judged("auc > 0.5", float("nan")),
    judged("latency_ms.p95 < 33 @ tflite", 12.0),
)


def suite(*kpis: dict[str, object], classes: tuple[str, ...] = CLASSES) -> Element:
    root = ElementTree.fromstring(junit.render(result(classes, *kpis)))
    found = root.find("testsuite")
    assert root.tag == "testsuites"
    assert found is not None
    return found


def test_counts_are_those_of_the_cases() -> None:
    found = suite(*KPIS)
    counts = {key: int(found.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 5, "failures": 3, "errors": 0, "skipped": 1}
    assert len(found.findall("testcase")) == 5
    assert len(found.findall("testcase/failure")) == 3
    assert len(found.findall("testcase/skipped")) == 1


def test_a_failure_says_verdict_value_and_interval() -> None:
    failures = [each.attrib for each in suite(*KPIS).findall("testcase/failure")]
    assert [each["type"] for each in failures] == ["fail", "not enough evidence", "not measured"]
    assert failures[0]["message"].startswith("fail: value 0.9579, 95 % interval 0.8972 – 0.9834.")
    assert f"about {KPIS[1]['more_photos']} more test photos would settle it" in failures[0]["message"]
    assert "nothing measured 'auc'" in failures[2]["message"].lower()


def test_a_kpi_of_another_runtime_is_skipped() -> None:
    skipped = suite(*KPIS).find("testcase/skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "declared for tflite, and torch ran"


def test_properties_say_what_was_judged() -> None:
    properties = {each.attrib["name"]: each.attrib["value"] for each in suite().iter("property")}
    assert properties["model.name"] == "efficientnet"
    assert properties["data.photos"] == "120"
    assert properties["runtime.threads"] == "2"


@pytest.mark.parametrize("name", EVIL)
def test_any_class_name_is_readable_xml(name: str) -> None:
    kpi = {"kpi": f"f1[{name}] > 0.9", "value": 0.5, "interval": None, "verdict": "fail", "reason": name, "gates": True}
    case = suite(kpi, classes=(name,)).find("testcase")
    assert case is not None
    # XML turns a break in an attribute into a space unless it is written as a reference.
    assert case.attrib["name"] == f"f1[{name}] > 0.9".replace("\x00", "\ufffd").replace("\ud800", "\ufffd")


def test_ratings_have_no_model() -> None:
    ratings = {
        "data": {"path": "r.csv", "photos": 40},
        "metrics": {"acceptance": 0.8},
        "kpis": [judged("acceptance > 0.7", 0.8)],
    }
    root = ElementTree.fromstring(junit.render(ratings))
    assert root.attrib["failures"] == "0"
    assert [each.attrib["classname"] for each in root.iter("testcase")] == ["vision.eval.ratings"]


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    reports.write(tmp_path / "out/j.xml", None, result(CLASSES, *KPIS))
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["j.xml"]
    reports.write(None, tmp_path / "m.md", result(CLASSES, *KPIS))
    assert (tmp_path / "m.md").read_text(encoding="utf-8").startswith("## ")
    assert ElementTree.parse(tmp_path / "out/j.xml").getroot().attrib["tests"] == "5"


def test_nothing_is_written_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reports.write(None, None, result(CLASSES))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{re.escape(str(tmp_path))}: is a folder"):
        reports.write(tmp_path, tmp_path / "m.md", result(CLASSES))
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match=r"out/sub/j\.xml: cannot be written: .*/out is a file"):
        reports.write(tmp_path / "out/sub/j.xml", None, result(CLASSES))

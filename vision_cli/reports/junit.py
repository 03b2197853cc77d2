"""An evaluation as JUnit XML: a test case for each KPI, so that every CI shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vision_cli.reports import verdicts, wording

# What XML 1.0 has no way to write: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(result: Mapping[str, Any]) -> str:
    """Return the XML of the document that `vision eval --json` prints.

    A KPI that is not met is a failure, one for another runtime is skipped.
    """
    entries = list(result.get("kpis") or ())
    failures = sum(verdicts.gates(entry) and entry.get("verdict") != "pass" for entry in entries)
    skipped = sum(not verdicts.gates(entry) for entry in entries)
    counts = {"tests": str(len(entries)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    root = Element("testsuites", {"name": "vision eval", **counts, "time": "0"})
    suite = SubElement(root, "testsuite", {"name": _suite(result), **counts, "time": "0"})
    _properties(suite, result)
    for entry in entries:
        _case(suite, entry, result)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(result: Mapping[str, Any]) -> str:
    model, ran, data = (result.get(key) or {} for key in ("model", "runtime", "data"))
    parts = (model.get("name") or "ratings", ran.get("name"), data.get("split"))
    return _text(" ".join(str(part) for part in parts if part))


def _properties(suite: Element, result: Mapping[str, Any]) -> None:
    rows = {
        f"{part}.{key}": value
        for part in ("model", "data", "runtime")
        for key, value in (result.get(part) or {}).items()
    }
    if rows:
        properties = SubElement(suite, "properties")
        for key, value in rows.items():
            SubElement(properties, "property", {"name": _text(key), "value": _text(value)})


def _case(suite: Element, entry: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    runtime = (result.get("runtime") or {}).get("name") or "ratings"
    attributes = {"name": _text(entry.get("kpi")), "classname": _text(f"vision.eval.{runtime}"), "time": "0"}
    case = SubElement(suite, "testcase", attributes)
    verdict, said = str(entry.get("verdict")), _said(entry)
    if not verdicts.gates(entry):
        SubElement(case, "skipped", {"message": _text(entry.get("reason") or verdict)})
    elif verdict != "pass":
        failure = SubElement(case, "failure", {"type": _text(verdict), "message": _text(f"{verdict}: {said}")})
        failure.text = _text(f"{entry.get('kpi')}: {verdict}; {said}")
    else:
        SubElement(case, "system-out").text = _text(said)


def _said(entry: Mapping[str, Any]) -> str:
    """Return value, interval and what is missing in one line."""
    kpi = verdicts.parsed(str(entry.get("kpi")))
    value, ends, reason = (
        verdicts.value_text(entry, kpi),
        verdicts.interval_text(entry, kpi),
        verdicts.evidence(entry, kpi),
    )
    said = f"value {value}" if wording.is_number(entry.get("value")) else "no value"
    said += f", {verdicts.confidence(entry)} interval {ends}" if ends else ""
    return f"{said}. {reason}".strip()


def _text(value: object) -> str:
    return _FORBIDDEN.sub("\ufffd", str(value))

"""An evaluation as GitHub-flavoured Markdown, for a pull request or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vision_cli.reports import naming, verdicts, wording

_LENGTH = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_MARKS = {"pass": "✅", "fail": "❌", "unsure": "⚠️", "none": "➖"}
_CLASS_KEYS = ("precision", "recall", "f1", "ap")


def render(result: Mapping[str, Any]) -> str:
    """Return the Markdown of the document that `vision eval --json` prints."""
    parts = (_head(result), _kpis(result), _warnings(result), _metrics(result), _classes(result), _judged(result))
    return "\n\n".join(part for part in parts if part) + "\n"


def text(value: object) -> str:
    """Return a text that no Markdown reads as more than text, on one line, cut when it is very long."""
    plain = wording.cut(wording.one_line(value), _LENGTH)
    return _SPECIAL.sub(r"\\\1", plain.translate(_ENTITIES))


def code(value: object) -> str:
    """Return a text in a code span, fit for a table cell: a fence longer than any in it, pipes escaped."""
    plain = wording.cut(wording.one_line(value), _LENGTH)
    fence = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    room = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{room}{plain}{room}{fence}".replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _head(result: Mapping[str, Any]) -> str:
    model, ran = result.get("model") or {}, result.get("runtime") or {}
    subject = f"{text(model.get('name', 'a model'))} on {text(ran.get('name', '?'))}" if model else "People's ratings"
    subject = f"{text(model['name'])}, results of another tool" if "holds" in model else subject
    gating = [entry for entry in result.get("kpis") or () if verdicts.gates(entry)]
    met = sum(entry.get("verdict") == "pass" for entry in gating)
    if not gating:
        mark = f"{_MARKS['fail']} " if result.get("kpis") else ""
        return f"## {mark}{subject}\n\nNo KPI was judged."
    mark = _MARKS["pass" if met == len(gating) else "fail"]
    return f"## {mark} {subject}\n\n**{met} of {wording.count(len(gating), 'KPI')} met**"


def _kpis(result: Mapping[str, Any]) -> str:
    rows = []
    for entry in result.get("kpis") or ():
        kpi, verdict = verdicts.parsed(str(entry.get("kpi"))), str(entry.get("verdict"))
        mark = _MARKS[verdicts.kind(verdict)]
        value, ends = verdicts.value_text(entry, kpi), verdicts.interval_text(entry, kpi)
        rows.append((f"{mark} {verdict}", code(entry.get("kpi")), value, ends, text(verdicts.evidence(entry, kpi))))
    return _table(("verdict", "KPI", "value", "interval", "remark"), rows) if rows else ""


def _warnings(result: Mapping[str, Any]) -> str:
    return "\n".join(f"- ⚠️ {text(each)}" for each in result.get("warnings") or ())


def _metrics(result: Mapping[str, Any]) -> str:
    values, intervals = result.get("metrics") or {}, result.get("intervals") or {}
    rows = [
        (
            text(wording.label(key)),
            code(key),
            wording.figure(values[key], key),
            wording.interval(intervals.get(key), key),
        )
        for key in values
        if "[" not in key
    ]
    return "### Figures\n\n" + _table(("metric", "name", "value", "95 % interval"), rows) if rows else ""


def _classes(result: Mapping[str, Any]) -> str:
    values, classes = result.get("metrics") or {}, result.get("classes") or ()
    keys = [key for key in _CLASS_KEYS if any(f"{key}[{each}]" in values for each in classes)]
    rows = [
        (text(each), *(wording.figure(values.get(f"{key}[{each}]"), f"{key}[") for key in keys)) for each in classes
    ]
    if not keys:
        return ""
    table = _table(("class", *keys), rows)
    return f"<details><summary>{wording.count(len(rows), 'class', 'classes')}</summary>\n\n{table}\n\n</details>"


def _judged(result: Mapping[str, Any]) -> str:
    model, ran = result.get("model") or {}, result.get("runtime") or {}
    said = [f"Judged on {text(naming.judged(result))}"]
    said += [f"model {code(model['path'])}"] if model.get("path") else []
    said += [text(ran["precision"])] if ran.get("precision") else []
    said += [f"{ran['threads']} threads"] if ran.get("threads") else []
    return "; ".join(said) + "."

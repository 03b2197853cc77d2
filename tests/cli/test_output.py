"""What people see: cleaned, quiet when asked, without a flood of lines."""

import io
import json
import os
import re
from pathlib import Path

import pytest

from vision_cli.cli.live import LiveProgress
from vision_cli.cli.paper import Paper
from vision_cli.cli.progress import PlainProgress
from vision_cli.cli.text import clean, number, place, sparkline

HOSTILE = [
    "[/]",
    "[red]x",
    "\x1b[31mred\x1b[0m",
    "a\nb",
    "\x9b31m",
    "\u202eevil",
    ":smile:",
    "\udce4.jpg",
    "tab\there",
    "a\x00b",
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("name", HOSTILE)
def test_clean_leaves_one_harmless_line(name):
    text = clean(name)
    assert len(text.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    text.encode()


def test_clean_keeps_what_people_write():
    for name in ("[/]", "[red]x", ":smile:", "Straße", "日本語", "العربية", "🦝", "a  b", "\\n"):
        assert clean(name) == name


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_paper_draws_names_as_they_are(name, stream, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    out = stream()
    paper = Paper(out)
    paper.line(name)
    paper.heading(name)
    paper.table((name, "n"), [(name, 1)], right=(1,))
    paper.pairs([(name, name)])
    assert out.getvalue().count(clean(name)) >= 6
    assert "\x1b[31m" not in out.getvalue()


def test_no_color_and_files_get_no_escape_codes(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured, plain, filed = Terminal(), Terminal(), io.StringIO()
    Paper(coloured).line("x", style="red")
    monkeypatch.setenv("NO_COLOR", "1")
    Paper(plain).line("x", style="red")
    monkeypatch.delenv("NO_COLOR")
    Paper(filed).line("x", style="red")
    assert "\x1b[31m" in coloured.getvalue()
    assert "\x1b[31m" not in plain.getvalue()
    assert filed.getvalue() == "x\n"


def test_a_file_gets_whole_lines_without_padding():
    out = io.StringIO()
    Paper(out).table(("name", "value"), [("a" * 300, "b" * 300), ("c", "d")])
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line == line.rstrip() for line in lines)
    assert "a" * 300 in lines[1]


def test_a_reader_that_left_is_no_error():
    class Left(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    Paper(Left()).line("x")


@pytest.mark.parametrize("name", HOSTILE)
def test_errors_and_progress_are_cleaned(vision, command, name):
    from vision_cli.core.errors import DataError

    def act(probe):
        probe.session.progress.say(name)
        probe.session.progress.warn(name)
        probe.session.progress.step(name, 1, 1, {name: 0.5})
        raise DataError(f"{name}: refused.", hint=name, details=[name])

    command(act)
    called = vision("probe")
    assert called.code == 3
    assert len(called.err.splitlines()) == 6
    assert called.err.count(clean(name)) == 7
    assert vision("probe", "--json").code == 3


def test_json_escapes_what_is_no_text(vision, command):
    command(lambda probe: probe.session.answer({"path": "\udce4.jpg"}, lambda result, paper: None))
    assert vision("probe", "--json").document["path"] == "\udce4.jpg"


def test_quiet_leaves_warnings_and_the_result(vision, command):
    def act(probe):
        probe.session.progress.say("said")
        probe.session.progress.step("step", 1, 1)
        probe.session.progress.warn("beware")
        probe.session.answer({}, lambda result, paper: paper.line("result"))

    command(act)
    assert (vision("probe", "--quiet").out, vision("probe", "-q").err) == ("result\n", "warning: beware\n")
    assert vision("probe").err == "said\nstep 1/1\nwarning: beware\n"


def test_steps_give_a_line_a_second_and_always_the_last():
    now = [0.0]
    out = io.StringIO()
    progress = PlainProgress(out, quiet=False, clock=lambda: now[0])
    for done in range(1, 1001):
        now[0] += 0.01
        progress.step("embed", done, 1000)
    lines = out.getvalue().splitlines()
    assert len(lines) <= 11
    assert lines[-1] == "embed 1000/1000"


def test_epochs_read_as_figures():
    out = io.StringIO()
    values = {"train_loss": 0.41234567, "val_score": 0.81}
    PlainProgress(out, quiet=False).step("epoch", 3, 30, values)
    assert out.getvalue() == "epoch 3/30  train_loss 0.4123  val_score 0.81\n"


def test_live_table_shows_epochs_curves_and_bars(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    progress = LiveProgress(out)
    progress.step("embed [/]", 1, 2)
    progress.step("embed [/]", 2, 2)
    for epoch in range(1, 21):
        progress.step("epoch", epoch, 20, {"val_loss": 1 / epoch})
    progress.say("[red]said")
    progress.close()
    text = out.getvalue()
    assert "embed [/]" in text
    assert "[red]said" in text
    last = text[text.rindex("val_loss") :]
    assert "20/20" in last
    assert "12/20" not in last
    assert re.search("[▂-█]+", last)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")


def test_live_progress_is_only_for_terminals(monkeypatch):
    from vision_cli.cli.progress import drawer

    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(drawer(Terminal(), quiet=False), LiveProgress)
    assert isinstance(drawer(Terminal(), quiet=True), PlainProgress)
    assert isinstance(drawer(io.StringIO(), quiet=False), PlainProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(drawer(Terminal(), quiet=False), PlainProgress)


def test_sparkline_follows_the_values():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"
    assert sparkline([float("nan"), 1, 1]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(100)), width=10)) == 10


def test_places_are_short_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(place(tmp_path / "runs" / "a")) == "runs/a"
    assert place(tmp_path.parent / "x") == tmp_path.parent / "x"
    assert str(place(Path("../x"))) == "../x"


def test_numbers():
    assert [number(value) for value in (None, float("nan"), 3, 0.81234567, 12345.6)] == [
        "-",
        "-",
        "3",
        "0.8123",
        "1.235e+04",
    ]


def test_offline_reaches_the_libraries(vision, command):
    seen = {}

    def act(probe):
        seen.update(os.environ)
        probe.session.answer({"offline": probe.session.offline}, lambda result, paper: None)

    command(act)
    assert vision("probe", "--offline", "--json").document["offline"] is True
    assert seen["VISION_OFFLINE"] == "1"
    assert seen["HF_HUB_OFFLINE"] == "1"


def test_offline_by_environment(vision, command, monkeypatch):
    monkeypatch.setenv("VISION_OFFLINE", "1")
    command(lambda probe: probe.session.answer({"offline": probe.session.offline}, lambda result, paper: None))
    assert vision("probe", "--json").document["offline"] is True


def test_document_of_a_dataclass():
    from dataclasses import dataclass
    from pathlib import Path

    from vision_cli.cli.document import document

    @dataclass(frozen=True)
    class Inner:
        path: Path
        names: tuple[str, ...]

    made = document("x", True, {"inner": Inner(Path("a/b"), ("no", "[/]"))})
    assert json.loads(json.dumps(made)) == {
        "schema_version": 1,
        "command": "x",
        "ok": True,
        "inner": {"path": "a/b", "names": ["no", "[/]"]},
    }

"""Each class of error through the real boundary: message, exit code, JSON."""

import errno
import math
import signal
from pathlib import Path

import pytest

from vision_cli.core.errors import (
    AnswerIsNo,
    DataError,
    MissingPartError,
    ResourceError,
    UsageError,
)


def raising(error):
    def act(probe):
        raise error

    return act


TABLE = [
    (UsageError("vision.yaml:6: bad.", hint="Do this."), 2, "usage"),
    (DataError("a.jpg: cut in half.", hint="Do this."), 3, "data"),
    (AnswerIsNo("f1 is 0.5.", hint="Do this."), 4, "no"),
    (MissingPartError("needs torch.", hint="pip install 'vision-cli[train]'"), 5, "missing"),
    (ResourceError("disk full.", hint="Do this."), 6, "resource"),
]


@pytest.mark.parametrize(("error", "code", "kind"), TABLE, ids=[kind for *_, kind in TABLE])
def test_each_class_has_its_exit_code_and_message(vision, command, error, code, kind):
    command(raising(error))
    called = vision("probe")
    assert called.code == code
    assert called.out == ""
    assert called.err.splitlines() == [f"error: {error.message}", f"hint: {error.hint}"]


@pytest.mark.parametrize(("error", "code", "kind"), TABLE, ids=[kind for *_, kind in TABLE])
def test_each_class_is_one_json_document(vision, command, error, code, kind):
    command(raising(error))
    called = vision("probe", "--json")
    assert called.code == code
    assert called.document == {
        "schema_version": 1,
        "command": "probe",
        "ok": False,
        "error": {"kind": kind, "message": error.message, "hint": error.hint, "details": [], "exit_code": code},
    }


def test_every_detail_is_told(vision, command):
    command(raising(UsageError("vision.yaml: 2 problems.", details=["line 3: a", "line 9: b"])))
    assert "line 3: a" in vision("probe").err
    assert vision("probe", "--json").document["error"]["details"] == ["line 3: a", "line 9: b"]


class OutOfMemoryError(RuntimeError):
    """Named as torch's is."""


FOREIGN = [
    (MemoryError(), 6, "memory ran out"),
    (OutOfMemoryError("CUDA out of memory."), 6, "memory ran out"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 6, "memory ran out"),
    (OSError(errno.ENOSPC, "No space left on device", "/x/weights"), 6, "/x/weights: No space left on device."),
    (OSError(errno.EROFS, "Read-only file system", "/x"), 6, "Read-only file system"),
    (ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"), 5, "'torch' is not installed"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (ZeroDivisionError("division by zero"), 1, "vision made a mistake: ZeroDivisionError: division by zero"),
    (FileNotFoundError(errno.ENOENT, "No such file", "/x"), 1, "vision made a mistake"),
    (ModuleNotFoundError("No module", name="vision_cli.nothing"), 1, "vision made a mistake"),
]


@pytest.mark.parametrize(("error", "code", "message"), FOREIGN, ids=[repr(each[0])[:30] for each in FOREIGN])
def test_what_other_exceptions_mean(vision, command, error, code, message):
    command(raising(error))
    called = vision("probe")
    assert called.code == code
    assert message in called.err
    assert "Traceback" not in called.err
    assert vision("probe", "--json").document["error"]["exit_code"] == code


def test_missing_module_names_the_pip_line(vision, command):
    command(raising(ModuleNotFoundError("x", name="timm")))
    assert "pip install 'vision-cli[all]'" in vision("probe").err


def test_traceback_of_a_bug_is_in_the_log_that_is_named(vision, command, tmp_path):
    command(raising(ZeroDivisionError("here")))
    called = vision("probe", "train.epochs=3")
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in called.err
    text = log.read_text()
    assert "ZeroDivisionError: here" in text
    assert "Traceback" in text
    assert "vision probe train.epochs=3" in text


def test_log_falls_back_when_its_folder_cannot_be_made(vision, command, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VISION_LOG_DIR", str(tmp_path / "file" / "logs"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "fallback"))
    command(raising(ZeroDivisionError("here")))
    assert str(tmp_path / "fallback") in vision("probe").err


def test_sigterm_ends_with_143_and_restores_the_handler(vision, command):
    before = signal.getsignal(signal.SIGTERM)
    command(lambda probe: signal.raise_signal(signal.SIGTERM))
    called = vision("probe", "--json")
    assert called.code == 143
    assert called.document["error"]["kind"] == "interrupted"
    assert signal.getsignal(signal.SIGTERM) is before


def test_verbose_shows_where_an_error_comes_from(vision, command):
    command(raising(DataError("broken.")))
    assert "raise error" in vision("probe", "--verbose").err
    assert "raise error" not in vision("probe").err


def test_answer_that_is_no_keeps_its_figures(vision, command):
    command(lambda probe: probe.session.answer({"metrics": {"f1": 0.5}}, lambda result, paper: None, ok=False))
    called = vision("probe", "--json")
    assert called.code == 4
    assert called.document == {"schema_version": 1, "command": "probe", "ok": False, "metrics": {"f1": 0.5}}


def test_json_has_no_nan(vision, command):
    values = {"a": math.nan, "b": math.inf, "path": Path("x"), "inner": [(math.nan,)]}
    command(lambda probe: probe.session.answer(values, lambda result, paper: None))
    assert vision("probe", "--json").document == {
        "schema_version": 1,
        "command": "probe",
        "ok": True,
        "a": None,
        "b": None,
        "path": "x",
        "inner": [[None]],
    }


def test_command_without_an_answer_still_gives_a_document(vision, command):
    command(lambda probe: None)
    assert vision("probe", "--json").document == {"schema_version": 1, "command": "probe", "ok": True}


def test_failure_after_the_answer_adds_no_second_document(vision, command):
    def act(probe):
        probe.session.answer({"a": 1}, lambda result, paper: None)
        raise DataError("late.")

    command(act)
    called = vision("probe", "--json")
    assert called.code == 3
    assert called.document["a"] == 1
    assert "error: late." in called.err


def test_what_libraries_print_does_not_reach_the_result(vision, command):
    def act(probe):
        print("noise")  # noqa: T201
        probe.session.answer({"a": 1}, lambda result, paper: None)

    command(act)
    called = vision("probe", "--json")
    assert called.document["a"] == 1
    assert "noise" in called.err


USAGE = [
    (("evl",), "no command is called 'evl'; did you mean 'eval'?"),
    (("probe", "--modle", "x"), "no such option: --modle"),
    (("probe", "--ofline"), "Did you mean --offline?"),
    (("config", "shwo"), "Did you mean 'show'?"),
    (("train", "trian.epochs=5"), "Did you mean train.epochs=5?"),
    (("train", "stray"), "unexpected extra argument"),
    (("predict",), "there is nothing to look at"),
    (("eval", "--threads", "0"), "--threads"),
    (("config",), "missing command"),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=[" ".join(words) for words, _ in USAGE])
def test_wrong_command_line_ends_with_2_and_a_guess(vision, command, words, message):
    command(lambda probe: None)
    called = vision(*words)
    assert called.code == 2
    assert called.out == ""
    assert message in called.err
    document = vision(*words, "--json").document
    assert document["ok"] is False
    assert document["error"]["kind"] == "usage"


def test_json_before_the_command_counts(vision):
    assert vision("--json", "config", "schema").document["schema"]["title"] == "vision.yaml"


def test_json_after_two_dashes_is_a_name(vision, command):
    command(lambda probe: probe.session.answer({}, lambda result, paper: paper.line(probe.words[0])))
    assert vision("probe", "--", "--json").out == "--json\n"

"""What only a process of its own shows: descriptors, signals, readers that leave, the shell's own mistakes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROBE = """
import sys, types, os, time, typer
from vision_cli.cli import table
from vision_cli.cli.command import Command, group
from vision_cli.cli.session import Session
app = group("probe", "Probe.")
@app.command(cls=Command)
def probe(context: typer.Context) -> None:
    session = Session.of(context)
    ACT
module = types.ModuleType("probe_module"); module.app = app
sys.modules["probe_module"] = module
table.COMMANDS["probe"] = ("probe_module", "Probe.")
sys.argv[1:1] = ["probe"]
from vision_cli.__main__ import main
sys.exit(main())
"""


def script(act):
    return PROBE.replace("ACT", act.replace("\n", "\n    "))


def start(act, *words, **settings):
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings}
    return subprocess.Popen([sys.executable, "-c", script(act), *words], **settings)


def test_native_writes_to_stdout_go_to_stderr():
    act = "os.write(1, b'native'); print('python'); os.system('echo child'); session.answer({'a': 1}, None)"
    process = start(act, "--json")
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["a"] == 1
    for noise in ("native", "python", "child"):
        assert noise in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_with_their_code_and_one_document(number, code):
    process = start("print('ready', flush=True); time.sleep(60)", "--json")
    assert process.stderr.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert json.loads(out)["error"]["kind"] == "interrupted"
    assert "Traceback" not in err


def test_sigterm_in_a_forked_worker_just_ends_it():
    act = (
        "child = os.fork()\n"
        "if child == 0: time.sleep(60)\n"
        "time.sleep(0.3); os.kill(child, 15); status = os.waitpid(child, 0)[1]\n"
        "session.answer({'code': os.waitstatus_to_exitcode(status)}, None)"
    )
    out, _ = start(act, "--json").communicate(timeout=60)
    assert json.loads(out)["code"] == 143


def test_reader_that_leaves_is_quiet_and_keeps_the_exit_code():
    reading, writing = os.pipe()
    process = start("time.sleep(0.2); session.answer({'a': 'x' * 10**6}, None, ok=False)", "--json", stdout=writing)
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert err == ""


@pytest.mark.parametrize("words", [["--help"], ["config", "schema"], ["config", "schema", "--help"], ["--version"]])
def test_reader_that_left_before_the_start(words):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "vision_cli", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("words", ["--help", "config schema", "config schema --json", "evl"])
def test_closed_streams_are_no_bug(words, tmp_path):
    line = f"{sys.executable} -m vision_cli {words} >&- 2>{tmp_path}/err"
    done = subprocess.run(["/bin/sh", "-c", line], check=False)
    assert "Traceback" not in (tmp_path / "err").read_text()
    assert done.returncode == (2 if words == "evl" else 0)


def test_full_disk_at_the_result():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "vision_cli", "config", "schema", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 6
    assert "No space left" in done.stderr


def test_ascii_terminals_get_escapes_instead_of_a_crash():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start("session.answer({}, lambda result, paper: paper.line('Straße'))", env=environment)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "Stra\\xdfe\n"), err


def test_a_bug_in_the_real_process(tmp_path):
    process = start("1 / 0", env={**os.environ, "VISION_LOG_DIR": str(tmp_path)})
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    (log,) = tmp_path.iterdir()
    assert str(log) in err
    assert "ZeroDivisionError" in log.read_text()


def test_second_interrupt_during_the_cleanup_still_ends():
    act = (
        "try:\n    print('ready', flush=True); time.sleep(60)\n"
        "finally:\n    print('saving', flush=True); time.sleep(60)"
    )
    process = start(act)
    assert process.stderr.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "saving\n"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - started < 10

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import warnings

import pytest

from vision_cli.core.quiet import kept_output


def test_text_of_python_and_c_is_kept_and_nothing_leaks(capfd: pytest.CaptureFixture[str]) -> None:
    handlers = list(logging.root.handlers)
    with kept_output() as text:
        sys.stdout.write("from print\n")
        sys.stderr.write("to stderr\n")
        os.write(2, b"from a descriptor\n")
        ctypes.CDLL(None).puts(b"from C")
        ctypes.CDLL(None).fflush(None)
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        warnings.warn("a warning", stacklevel=1)
        logging.warning("from logging")
        kept = text()
    assert capfd.readouterr() == ("", "")
    for line in ("from print", "to stderr", "from a descriptor", "from C", "from a child"):
        assert line in kept
    assert "a warning" not in kept
    assert logging.root.handlers == handlers
    sys.stdout.write("after\n")
    os.write(1, b"again\n")
    assert set(capfd.readouterr().out.split()) == {"after", "again"}


def test_streams_come_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdout, sys.stderr)
    with pytest.raises(KeyError), kept_output():
        raise KeyError
    assert (sys.stdout, sys.stderr) == before
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_process_without_stdout() -> None:
    code = (
        "import os; os.close(1)\nfrom vision_cli.core.quiet import kept_output\nwith kept_output(): os.write(2, b'x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.stderr == b""

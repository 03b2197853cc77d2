"""`--kpi f1>0.98` without quotes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vision_cli.core.kpi import Kpi
from vision_cli.core.redirect import file_of, unquoted_redirect

SCRIPT = """
import sys
from vision_cli.core.redirect import file_of, unquoted_redirect
print(unquoted_redirect(sys.argv[1:], file_of(1), file_of(0)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("argv", "stdout_name", "expected"),
    [
        (["eval", "--kpi", "f1"], "0.98", Kpi("f1", ">", 0.98)),
        (["eval", "--kpi=f1"], "/some/where/0.98", Kpi("f1", ">", 0.98)),
        (["eval", "--kpi", "f1"], "=0.98", Kpi("f1", ">=", 0.98)),
        (["eval", "--kpi", "f1"], "98%", Kpi("f1", ">", 0.98)),
        (["eval", "--kpi", "recall[acme]", "--json"], "=0.99", Kpi("recall", ">=", 0.99, label="acme")),
        (["eval", "--kpi", "images_per_s"], "30", Kpi("images_per_s", ">", 30.0)),
        (["eval", "--kpi", "top1>0.5", "--kpi", "f1"], "0.98", Kpi("f1", ">", 0.98)),
        (["eval", "--kpi", "f1"], None, None),
        (["eval", "--kpi", "f1"], "report.txt", None),
        (["eval", "--kpi", "f1"], "1.2.3", None),
        (["eval", "--kpi", "f1"], "0.98 (deleted)", None),
        (["eval", "--kpi", "f1>0.9"], "0.98", None),
        (["eval"], "0.98", None),
        (["eval", "--kpi"], "0.98", None),
        (["eval", "--kpi", "f1", "--kpi", "top1"], "0.98", None),
    ],
)
def test_recognised(argv: list[str], stdout_name: str | None, expected: Kpi | None) -> None:
    assert unquoted_redirect(argv, stdout_name) == expected


def test_a_file_on_stdin_is_a_smaller_than() -> None:
    assert unquoted_redirect(["--kpi", "top5_error"], None, "0.1") == Kpi("top5_error", "<", 0.1)
    assert unquoted_redirect(["--kpi", "top5_error"], "0.9", "0.1") is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("--kpi f1>0.98", "f1 > 0.98"),
        ("--kpi f1>=0.98", "f1 >= 0.98"),
        ("--kpi recall[acme] > 0.9", "recall[acme] > 0.9"),
        ("--kpi 'f1>0.98'", "None"),
        ("--kpi f1 > report.txt", "None"),
        ("--kpi f1 | cat", "None"),
        ("--kpi top5_error<0.1", "top5_error < 0.1"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_through_a_shell(tmp_path: Path, typed: str, expected: str) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "0.1").touch()
    project = Path(__file__).parents[2]
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' script.py {typed}"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    assert done.stderr.strip() == expected


def test_a_closed_descriptor_is_no_file() -> None:
    assert file_of(987_654) is None

"""The project's frame: what the Makefile and continuous integration promise."""

import subprocess

import pytest
import yaml


def make(root, *words):
    return subprocess.run(
        ["make", "--dry-run", "--always-make", *words], cwd=root, capture_output=True, text=True, check=False
    )


def test_ci_runs_exactly_check_and_test(root):
    lines = [line for line in (root / ".ci" / "run").read_text().splitlines() if line.startswith("make")]
    assert lines == ["make check", "make test"]
    assert "set -euo pipefail" in (root / ".ci" / "run").read_text()
    steps = yaml.safe_load((root / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


@pytest.mark.parametrize(
    ("target", "commands"),
    [
        ("test", ['pytest -m "not slow"']),
        ("test-slow", ["-m pytest\n"]),
        ("check", ["ruff check .", "ruff format --check .", "bin/mypy", "bin/lint-imports"]),
        ("demo", ["sample_data/demo.py --out demo"]),
        ("install", ["--editable '.[all,dev]'"]),
    ],
)
def test_targets(root, target, commands):
    done = make(root, target)
    assert done.returncode == 0, done.stderr
    places = [done.stdout.find(command) for command in commands]
    assert -1 not in places
    assert places == sorted(places)
    assert "--editable '.[all,dev]'" in done.stdout


def test_another_python_is_refused_with_a_clear_line(root, tmp_path):
    fake = tmp_path / "python9"
    fake.write_text("#!/bin/sh\ncase \"$1\" in --version) echo 'Python 3.9.1';; *) exit 1;; esac\n")
    fake.chmod(0o755)
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text((root / name).read_text())
    done = subprocess.run(["make", "test", f"PYTHON={fake}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "vision needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "Python 3.9.1" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_licence_is_whole(root):
    text = (root / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text

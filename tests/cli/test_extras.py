"""Each extra resolves to what is installed here, and every hint names an extra that exists."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from vision_cli.stages.project import installation

EXTRAS = ["all", "crosscheck", "export", "lite", "onnx", "svg", "tflite", "train", "tune"]
LEFT_OUT = ["ray", "yolo"]
"""Of `all` and of what is installed here: 79 MB that few need, and AGPL-3.0."""


def walk(requirement, seen):
    """Follow installed requirements of requirements: what pip would have to install for them."""
    from importlib.metadata import requires

    key = (requirement.name.lower().replace("_", "-"), tuple(sorted(requirement.extras)))
    if key in seen:
        return
    seen[key] = installation.satisfied(requirement)
    if not seen[key]:
        seen[key] = f"{requirement} has {installation.installed(requirement.name)}"
        return
    for text in requires(requirement.name) or []:
        inner = Requirement(text)
        wanted = requirement.extras or {""}
        if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in wanted):
            walk(inner, seen)


def test_the_extras_are_those_that_are_promised():
    assert sorted(installation.extra_names()) == sorted(EXTRAS + LEFT_OUT)


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_resolves(extra):
    needed = installation.all_requirements(extra)
    assert needed
    seen = {}
    for requirement in [*installation.requirements(""), *needed]:
        walk(requirement, seen)
    assert [problem for problem in seen.values() if problem is not True] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("extra", EXTRAS)
def test_pip_finds_versions_that_fit_together_from_nothing(root, tmp_path, extra):
    """Ask the package registry, as on a new machine: nothing that is installed here counts."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "vision_cli", tmp_path / "vision_cli", ignore=shutil.ignore_patterns("__pycache__"))
    plan = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", "plan.json", f".[{extra}]"]
    done = subprocess.run([sys.executable, "-m", "pip", *plan], cwd=tmp_path, capture_output=True, text=True)
    if done.returncode and "NewConnectionError" in done.stderr + done.stdout:
        pytest.skip("no package registry")
    assert done.returncode == 0, done.stderr
    found = {
        item["metadata"]["name"]: item["metadata"]["version"]
        for item in json.loads((tmp_path / "plan.json").read_text())["install"]
    }
    if extra in ("all", "export", "train"):
        assert (2, 10) <= Version(found["torch"]).release[:2] < (2, 15)
    if extra in ("all", "export") and sys.platform == "linux":
        assert found["litert-torch"].startswith("0.10.")


def test_all_holds_every_other():
    names = {each.name for each in installation.all_requirements("all")}
    for extra in EXTRAS:
        assert {each.name for each in installation.all_requirements(extra)} <= names


def test_every_hint_names_an_extra_that_exists(root):
    source = "".join(path.read_text() for path in (root / "vision_cli").rglob("*.py"))
    named = set(re.findall(r"vision-cli\[([a-z,]+)\]", source)) | set(re.findall(r'extra="([a-z]+)"', source)) - {
        "forbid"
    }
    assert named
    assert {name for names in named for name in names.split(",")} <= {*EXTRAS, *LEFT_OUT}

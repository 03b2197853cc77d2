"""Each extra resolves to what is installed here, and every hint names an extra that exists."""

import re

import pytest
from packaging.requirements import Requirement

from vision_cli.stages import installation

EXTRAS = ["all", "export", "onnx", "tflite", "train"]


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
    assert sorted(installation.extra_names()) == EXTRAS


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_resolves(extra):
    needed = installation.all_requirements(extra)
    assert needed
    seen = {}
    for requirement in [*installation.requirements(""), *needed]:
        walk(requirement, seen)
    assert [problem for problem in seen.values() if problem is not True] == []


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
    assert {name for names in named for name in names.split(",")} <= set(EXTRAS)

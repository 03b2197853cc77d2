"""Checks of what is installed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from vision_cli import __version__
from vision_cli.stages.project.checkline import CheckLine

DISTRIBUTION = "vision-cli"
PYTHONS = ((3, 11), (3, 13))
"""First and last Python that the project is tried with."""
_OPENCVS = tuple(f"opencv{contrib}-python{head}" for contrib in ("", "-contrib") for head in ("", "-headless"))


def versions() -> Iterator[CheckLine]:
    """Check Python's version and every requirement of the core."""
    first, last = PYTHONS
    fits = first <= sys.version_info[:2] <= last
    supported = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    yield CheckLine(
        "python",
        "ok" if fits else "error",
        f"{platform.python_version()} in {sys.prefix}",
        None if fits else f"vision runs on Python {supported}.",
    )
    yield CheckLine("vision", "ok", __version__)
    yield from (_core(each) for each in requirements(""))


def _core(requirement: Requirement) -> CheckLine:
    found = installed(requirement.name)
    if satisfied(requirement):
        return CheckLine(requirement.name, "ok", found or "")
    wanted = f"{requirement.name}{requirement.specifier}"
    return CheckLine(
        requirement.name, "error", f"{found or 'not installed'}, needs {wanted}", f"pip install '{wanted}'"
    )


def extras() -> Iterator[CheckLine]:
    """Check each extra: complete, absent, or half there."""
    for name in extra_names():
        needed = all_requirements(name)
        missing = [each for each in needed if not satisfied(each)]
        line = f"pip install '{DISTRIBUTION}[{name}]'"
        if not missing:
            yield CheckLine(f"extra {name}", "ok", "installed")
            continue
        wrong = [
            f"{each.name} {installed(each.name)} (needs {each.specifier})" for each in missing if installed(each.name)
        ]
        absent = [each.name for each in missing if not installed(each.name)]
        lacking = ", ".join([*wrong, *(f"{each} is not installed" for each in absent)])
        yield CheckLine(f"extra {name}", "warning" if wrong else "note", lacking, line)


def opencvs() -> Iterator[CheckLine]:
    """Check that OpenCV's distributions, which all write the same folder, have one version."""
    found = {name: each for name in _OPENCVS if (each := installed(name))}
    text = ", ".join(f"{name} {each}" for name, each in found.items()) or "none"
    if len(set(found.values())) > 1:
        wanted = found.get("opencv-python-headless") or next(iter(found.values()))
        pins = " ".join(f"'{name}=={wanted}'" for name in found)
        yield CheckLine(
            "opencv", "warning", f"two over each other in one folder: {text}", f"pip install --force-reinstall {pins}"
        )
    else:
        yield CheckLine("opencv", "ok" if found else "error", text)


def extra_names() -> list[str]:
    """Return the extras that users install; `dev` is for people who work on vision."""
    from importlib.metadata import metadata

    return [name for name in metadata(DISTRIBUTION).get_all("Provides-Extra") or [] if name != "dev"]


def requirements(extra: str) -> list[Requirement]:
    """Return what an extra itself asks for on this machine; the empty name is the core."""
    every = [Requirement(text) for text in requires(DISTRIBUTION) or []]
    core = [each for each in every if each.marker is None or each.marker.evaluate({"extra": ""})]
    if not extra:
        return core
    return [each for each in every if each not in core and each.marker and each.marker.evaluate({"extra": extra})]


def all_requirements(extra: str) -> list[Requirement]:
    """Return what an extra asks for, the extras that it includes among it."""
    found: list[Requirement] = []
    for each in requirements(extra):
        if each.name == DISTRIBUTION:
            found += [inner for name in sorted(each.extras) for inner in all_requirements(name)]
        else:
            found.append(each)
    return list(dict.fromkeys(found))


def installed(name: str) -> str | None:
    """Return the version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def satisfied(requirement: Requirement) -> bool:
    """Return whether a requirement is met here."""
    found = installed(requirement.name)
    return found is not None and requirement.specifier.contains(found, prereleases=True)

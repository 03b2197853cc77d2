"""Fill the gaps of `bench/task_templates.txt`: wishes whose subject is drawn at random: only what is asked counts."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("task_templates.txt")
_ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")
_GAP = re.compile(r"\{(\w+)\}")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Templates:
    """What the file holds.

    Attributes:
        wishes: task and text with gaps.
        gaps: words by the name of the gap; `context` are sentences around a wish, `wish` words before it.
    """

    wishes: Sequence[tuple[str, str]]
    gaps: Mapping[str, Sequence[str]]


@cache
def read() -> Templates:
    """Read the file; a wish that a pretrained model meets is learned as the task it is."""
    wishes: list[tuple[str, str]] = []
    gaps: dict[str, list[str]] = {}
    name = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]").split("/")[-1]
        elif line and not line.startswith("#"):
            if name.startswith("gap ") or name in {"context", "wish"}:
                gaps.setdefault(name.removeprefix("gap "), []).append(line)
            else:
                wishes.append((name, line))
    return Templates(wishes, gaps)


def filled(template: str, drawn: random.Random) -> str:
    """Return a template with its gaps filled."""
    text = _ALTERNATIVES.sub(lambda match: drawn.choice(match[1].split("|")), template)
    return _SPACES.sub(" ", _GAP.sub(lambda match: drawn.choice(read().gaps[match[1]]), text)).strip()


def in_context(text: str, drawn: random.Random) -> str:
    """Return a wish among sentences that say nothing of the task: people tell more than they ask."""
    if drawn.random() < 1 / 4:
        text = f"{filled(drawn.choice(read().gaps['wish']), drawn)} {text}"
    around = [drawn.choice(read().gaps["context"]) for _ in range(drawn.choice((1, 1, 2)))]
    ending = "" if text[-1] in ".?!" else "."
    if drawn.random() < 2 / 5:
        return " ".join([around[0], text + ending, *around[1:]])
    return " ".join([text + ending, *around])


def drawn(times: int, seed: int) -> list[tuple[str, str]]:
    """Return each template filled some times: the first time alone, then half of the times in a context."""
    luck = random.Random(seed)  # noqa: S311
    found = []
    for task, template in read().wishes:
        for time in range(times):
            text = filled(template, luck)
            found.append((task, in_context(text, luck) if time and luck.random() < 1 / 2 else text))
    return found

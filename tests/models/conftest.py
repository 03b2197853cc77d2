from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Heard:
    """Keeps what a stage said."""

    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        self.steps.append((name, done, total))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of weights, and no switch or proxy from outside."""
    for name in ("VISION_OFFLINE", "HF_ENDPOINT", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"

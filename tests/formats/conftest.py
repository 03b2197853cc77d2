"""Tiny photos on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a photo (or bytes) below the test's folder."""

    def photo(name: str, size: tuple[int, int] = (4, 3), content: bytes | None = None, **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        else:
            Image.new("RGB", size, (200, 30, 60)).save(path, "JPEG", **options)
        return path

    return photo


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the checkout, or skip."""
    folder = Path(__file__).parents[2].parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder

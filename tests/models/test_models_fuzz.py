from __future__ import annotations

import io
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.errors import DataError
from vision_cli.models import checkpoint


def saved(kind: str) -> bytes:
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3)}
    if kind == "safetensors":
        return safetensors.torch.save(state)
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=kind == "zip")
    return stream.getvalue()


FILES = {kind: saved(kind) for kind in ("zip", "legacy", "safetensors")}


@pytest.mark.parametrize("kind", list(FILES))
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_changed_bytes_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder, suppress(DataError):
        path = Path(folder) / "w.pth"
        path.write_bytes(content)
        assert all(isinstance(item, torch.Tensor) for item in checkpoint.read(path).values())

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vision_cli.core.errors import DataError
from vision_cli.runtimes.timing import latency, memory_mb, peak_memory_mb


class SlowRunner:
    runtime = "torch"
    size_mb = 1.0
    card: Any = None

    def __init__(self, *times_ms: float) -> None:
        self.times_ms = times_ms
        self.calls = 0

    def run(self, batch: Any) -> Any:
        time.sleep(self.times_ms[self.calls % len(self.times_ms)] / 1e3)
        self.calls += 1
        return batch


PHOTO = np.zeros((1, 3, 4, 4), np.float32)


def test_percentiles_are_of_single_calls() -> None:
    runner = SlowRunner(*[5.0] * 9, 50.0)
    result = latency(runner, PHOTO, warmup=10, runs=20)
    assert (runner.calls, result.runs) == (30, 20)
    assert result.p50_ms == pytest.approx(5, abs=4)
    assert result.p95_ms == pytest.approx(50, abs=15)
    assert result.images_per_s == pytest.approx(1000 / 9.5, rel=0.4)


def test_seconds_end_the_measurement() -> None:
    assert 3 <= latency(SlowRunner(10.0), PHOTO, warmup=0, seconds=0.2).runs <= 20
    assert latency(SlowRunner(10.0), PHOTO, warmup=0, seconds=0.0).runs == 1


def test_batches_count_photos() -> None:
    result = latency(SlowRunner(10.0), np.zeros((8, 3, 4, 4), np.float32), warmup=0, runs=5)
    assert result.images_per_s == pytest.approx(800, rel=0.4)


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_memory_is_that_of_a_fresh_process(name: str, files_by_format: Mapping[str, Path]) -> None:
    # This process holds torch: several hundred MB that must not be counted.
    assert peak_memory_mb() > 200
    assert 5 < memory_mb(files_by_format[name]) < 150


def test_peak_memory_counts_an_allocation_that_is_gone() -> None:
    code = (
        "import numpy; from vision_cli.runtimes.timing import peak_memory_mb; before = peak_memory_mb();"
        "numpy.ones(100_000_000, dtype=numpy.uint8); print(peak_memory_mb() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(100, abs=10)


def test_memory_of_a_model_that_needs_other_rooms() -> None:
    argv = (sys.executable, "-c", "print('noise'); print('{\"rise_mb\": 12.5}')")
    assert memory_mb(Path("model"), argv=argv) == 12.5


def test_memory_of_a_broken_model(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"does not run in a process of its own: .*not a model: expected"):
        memory_mb(tmp_path / "model")

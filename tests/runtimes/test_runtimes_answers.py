"""Right files: the same answers as torch's, in any batch, without torch in the process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision_cli.core import files
from vision_cli.core.artefact import Card, Golden, save
from vision_cli.core.errors import DataError
from vision_cli.runtimes import RUNTIMES, runtime_of
from vision_cli.runtimes.torch import TorchRunner

FORMATS = ("onnx", "tflite")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_any_batch_answers_as_torch(
    name: str, threads: int, files_by_format: Mapping[str, Path], network: Any, batch: Any
) -> None:
    runner = RUNTIMES.load(name).open_model(files_by_format[name], threads=threads)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch)).numpy()
    for number in (1, 5):
        raw = runner.run(batch[:number])
        assert raw.dtype == np.float32
        assert np.abs(raw - expected[:number]).max() < 1e-5
    assert runner.run(batch[:0]).shape == (0, 3)
    assert runner.runtime == name


def test_torch_runner_answers_as_the_network(network: Any, card: Card, batch: Any) -> None:
    runner = TorchRunner(card, network, 1.5, threads=1)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch)).numpy()
    assert np.abs(runner.run(batch) - expected).max() < 1e-5
    assert (runner.runtime, runner.size_mb, runner.card) == ("torch", 1.5, card)
    with pytest.raises(DataError, match=r"takes photos \(1, 32, 40\)"):
        runner.run(batch.transpose(0, 1, 3, 2))


@pytest.mark.parametrize("name", FORMATS)
def test_other_sizes_of_photo_are_refused(name: str, files_by_format: Mapping[str, Path], batch: Any) -> None:
    runner = RUNTIMES.load(name).open_model(files_by_format[name], threads=1)
    with pytest.raises(DataError, match=r"takes photos \(1, 32, 40\), got a batch \(5, 1, 31, 40\)"):
        runner.run(batch[:, :, 1:])


@pytest.mark.parametrize("name", FORMATS)
def test_deployment_needs_no_torch_and_says_nothing(name: str, files_by_format: Mapping[str, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from vision_cli.runtimes import RUNTIMES;"
        f"RUNTIMES.load({name!r}).open_model(Path(sys.argv[1]), threads=1);"
        "sys.exit(sorted({'torch', 'onnx', 'tensorflow', 'cv2', 'jax'} & set(sys.modules)).__repr__()"
        " if {'torch', 'onnx', 'tensorflow', 'cv2', 'jax'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(files_by_format[name])], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_content_decides_the_runtime(files_by_format: Mapping[str, Path], card: Card, tmp_path: Path) -> None:
    golden = Golden(np.zeros((32, 40, 1), np.uint8), (np.zeros((1, 3), np.float32),))
    folder = save(tmp_path / "artefact", card, golden=golden, weights=b"w", weights_file="weights.safetensors")
    assert runtime_of(folder) == "torch"
    for name, path in files_by_format.items():
        renamed = tmp_path / "model.jpg"
        renamed.write_bytes(path.read_bytes())
        assert runtime_of(renamed) == name


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_others_runs_with_a_card_given_or_beside_it(
    name: str, files_by_format: Mapping[str, Path], card: Card, batch: Any, tmp_path: Path
) -> None:
    ours = RUNTIMES.load(name).open_model(files_by_format[name], threads=1)
    path = tmp_path / "theirs"
    path.write_bytes(files_by_format[name].read_bytes().replace(b"vision_artefact", b"other_artefacts"))
    with pytest.raises(DataError, match="no labels: the file has no metadata of vision") as caught:
        RUNTIMES.load(name).open_model(path, threads=1)
    assert "'theirs.json'" in str(caught.value.hint)
    theirs = replace(ours.card, sha256={})
    given = RUNTIMES.load(name).open_model(path, threads=1, card=theirs)
    files.write_json(tmp_path / "theirs.json", theirs.as_json())
    beside = RUNTIMES.load(name).open_model(path, threads=1)
    for runner in (given, beside):
        assert runner.card == theirs
        assert np.array_equal(runner.run(batch), ours.run(batch))


def test_onnx_of_a_fixed_batch_runs_photo_by_photo(
    files_by_format: Mapping[str, Path], card: Card, batch: Any, tmp_path: Path
) -> None:
    import onnx

    ours = RUNTIMES.load("onnx").open_model(files_by_format["onnx"], threads=1)
    model = onnx.load(files_by_format["onnx"])
    for port in (model.graph.input[0], model.graph.output[0]):
        port.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, tmp_path / "one.onnx")
    fixed = RUNTIMES.load("onnx").open_model(tmp_path / "one.onnx", threads=1, card=card)
    assert np.abs(fixed.run(batch) - ours.run(batch)).max() < 1e-6
    assert fixed.run(batch[:0]).shape == (0, 3)

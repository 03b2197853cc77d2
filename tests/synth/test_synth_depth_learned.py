"""Depth networks from files: a stand-in of the same format, served by a real server on this machine.

Nothing here tells how good the published networks are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from vision_cli.core.errors import DataError, MissingPartError  # noqa: E402
from vision_cli.core.weights import Source  # noqa: E402
from vision_cli.synth import DEPTH, cards  # noqa: E402
from vision_cli.synth.depth import depth_anything, learned, midas  # noqa: E402
from vision_cli.synth.depth.request import DepthRequest  # noqa: E402
from vision_cli.synth.scene import AnalysisSettings, Background, plane_depth, rays  # noqa: E402

SHAPE = (96, 128)


def network(outputs: tuple[str, ...] = ("predicted_depth",)) -> bytes:
    """Return an ONNX file that answers the first channel of what it is fed, (1, h, w): brightness as 1 / depth."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Slice", ["pixels", "start", "end", "axis"], ["channel"]),
        helper.make_node("Squeeze", ["channel", "axis"], [outputs[0]]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [1], [value])
        for name, value in (("start", 0), ("end", 1), ("axis", 1))
    ]
    free = ["n", 3, "h", "w"]
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["n", "h", "w"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


NETWORK = network()


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(NETWORK)))
            self.end_headers()
            self.wfile.write(NETWORK)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/weights"


def inverse_of_a_floor() -> NDArray[np.float64]:
    depth = plane_depth(np.array([0.0, -0.8, -0.6]), -1.0, rays(SHAPE, 110.0))
    assert (depth > 0).all()
    return 1 / depth


def request(*, offline: bool = False) -> DepthRequest:
    """Ask for a photo whose brightness is 1 / depth of a slanted plane, in 8 bits."""
    inverse = inverse_of_a_floor()
    grey = 20 + 200 * (inverse - inverse.min()) / np.ptp(inverse)
    photo = np.rint(grey)[..., None].repeat(3, axis=2).astype(np.uint8)
    background = Background(photo, Path("a.jpg"), "0" * 64)
    return DepthRequest(background, np.zeros(SHAPE, np.int32), 110.0, AnalysisSettings(), offline=offline)


def recipe(url: str, base: learned.Recipe, sha256: str = "") -> learned.Recipe:
    digest = sha256 or hashlib.sha256(NETWORK).hexdigest()
    return dataclasses.replace(base, source=Source(f"{url}/net.onnx", "net.onnx", digest, "MIT"))


@pytest.mark.parametrize("base", [midas.RECIPE, depth_anything.RECIPE], ids=["midas", "depth-anything"])
def test_it_is_fetched_once_and_tells_depth(server: tuple[str, list[str]], base: learned.Recipe) -> None:
    url, asked = server
    for _ in range(2):
        depth = learned.estimate(recipe(url, base), request()).depth
    assert asked == ["/net.onnx"]
    assert depth.shape == SHAPE
    assert depth.dtype == np.float32
    # Up to factor and shift, 1 / depth is what the network answered: a plane stays one, near stays near.
    told, truth = 1 / depth, inverse_of_a_floor()
    fit = np.polyfit(truth.ravel(), told.ravel(), 1)
    assert fit[0] > 0
    assert np.abs(np.polyval(fit, truth) - told).max() < 0.03 * np.ptp(told)
    assert np.percentile(depth, 98) / np.percentile(depth, 2) == pytest.approx(learned.FAR_TO_NEAR, rel=0.02)


def test_offline_asks_nobody_and_says_what_else_works(server: tuple[str, list[str]]) -> None:
    url, asked = server
    with pytest.raises(MissingPartError) as refused:
        learned.estimate(
            dataclasses.replace(midas.RECIPE, source=dataclasses.replace(midas.RECIPE.source, url=f"{url}/net.onnx")),
            request(offline=True),
        )
    assert not asked
    assert "--offline" in refused.value.message
    assert "geometric" in (refused.value.hint or "")


def test_other_bytes_than_published_are_refused_and_not_kept(server: tuple[str, list[str]], cache: Path) -> None:
    with pytest.raises(DataError, match="SHA-256"):
        learned.estimate(recipe(server[0], midas.RECIPE, "ab" * 32), request())
    assert not list(cache.glob("*.onnx"))


@pytest.mark.parametrize("content", [b"", b"junk", NETWORK[: len(NETWORK) // 2]], ids=["empty", "junk", "cut"])
def test_a_file_that_is_no_network_is_refused(cache: Path, content: bytes) -> None:
    cache.mkdir(parents=True)
    (cache / "net.onnx").write_bytes(content)
    with pytest.raises(DataError, match=r"net\.onnx"):
        learned.estimate(recipe("http://127.0.0.1:1", midas.RECIPE, hashlib.sha256(content).hexdigest()), request())


def test_sizes_are_those_of_the_authors_preprocessing() -> None:
    """Depth Anything: the shorter side 518, both multiples of 14; MiDaS small: 256 x 256 whatever the photo."""
    assert depth_anything.RECIPE.size_px(640, 480) == (686, 518)
    assert depth_anything.RECIPE.size_px(480, 640) == (518, 686)
    assert midas.RECIPE.size_px(640, 480) == (256, 256)


def test_what_the_networks_are_fed_is_normalised_as_each_says() -> None:
    white = np.full((*SHAPE, 3), 255, np.uint8)
    assert learned.feed(midas.RECIPE, white) == pytest.approx(1.0)
    fed = learned.feed(depth_anything.RECIPE, white)[0, :, 5, 5]
    assert fed == pytest.approx([(1 - mean) / std for mean, std in zip(learned.MEAN, learned.STD, strict=True)])


def test_a_constant_answer_is_a_constant_depth() -> None:
    depth = learned.depth_of(np.full((20, 30), 7.0))
    assert np.isfinite(depth).all()
    assert np.ptp(depth) == 0


@pytest.mark.parametrize("name", list(DEPTH))
def test_every_estimator_says_what_it_is(name: str) -> None:
    card = DEPTH.card(name)
    assert isinstance(card, cards.DepthCard)
    assert callable(DEPTH.load(name).estimate)
    assert card.learned == bool(card.parameters_m and card.size_mb and card.source)
    if card.learned:
        source = DEPTH.load(name).RECIPE.source
        assert source.licence == card.licence
        assert len(source.sha256_prefix) == 64

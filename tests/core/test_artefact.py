"""Artefacts: written whole, read back, and refused when anything in them changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vision_cli.core import artefact
from vision_cli.core.artefact import Card, Decode, Golden
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.preprocess import Preprocess


def card(**changes: object) -> Card:
    values = {
        "task": "classify",
        "classes": ClassMap(("no", "007", "зима")),
        "preprocess": Preprocess(size_px=(96, 64), crop_pct=0.9),
        "decode": Decode(temperature=1.5),
        "family": "timm",
        "model": {"backbone": "tf_efficientnet_lite0"},
        "licence": "Apache-2.0",
        "name": "seasons",
        "created": "2026-01-02T03:04:05+00:00",
    }
    return Card(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    golden = Golden(np.zeros((64, 96, 3), np.uint8), (np.zeros((1, 3), np.float32),))
    return artefact.save(tmp_path / "model", card(), golden=golden, weights=b"w" * 1000, weights_file="m.safetensors")


def test_what_is_written_is_read_back(folder: Path) -> None:
    read = artefact.load_card(folder)
    assert read.classes.names == ("no", "007", "зима")
    assert read.preprocess == Preprocess(size_px=(96, 64), crop_pct=0.9)
    assert read.decode == Decode(temperature=1.5)
    assert read.weights_file == "m.safetensors"
    assert artefact.load_golden(folder).photo.shape == (64, 96, 3)


PLACES = PlaceDecode(
    "anchors",
    "sigmoid",
    (Level(8, ((10.0, 12.5), (30.0, 7.0))), Level(16, ((64.0, 64.0),))),
    score_floor=0.02,
    nms_iou=0.6,
    confidence=(0.35, 0.6),
)


def test_a_detector_comes_back_with_all_its_raw_outputs(tmp_path: Path) -> None:
    raw = tuple(np.full((1, 2 + index, 6), index, np.float32) for index in range(12))
    golden = Golden(np.zeros((64, 96, 3), np.uint8), raw)
    made = card(task="detect", decode=PLACES)
    folder = artefact.save(tmp_path / "model", made, golden=golden, weights=b"w", weights_file="m.safetensors")
    read = artefact.load_card(folder)
    assert read.decode == read.place_decode == PLACES
    assert json.loads((folder / "artefact.json").read_text())["decode"]["layout"] == "anchors"
    for found, wanted in zip(artefact.load_golden(folder).raw, raw, strict=True):
        assert np.array_equal(found, wanted)
    with pytest.raises(DataError, match="the task 'detect' has no one answer about a photo"):
        _ = read.photo_decode
    with pytest.raises(DataError, match="the task 'classify' does not say where things are"):
        _ = card().place_decode


def test_an_artefact_written_before_detectors_is_read(folder: Path) -> None:
    with np.load(folder / "golden.npz") as arrays:
        assert sorted(arrays.files) == ["photo", "raw"]
    assert [each.shape for each in artefact.load_golden(folder).raw] == [(1, 3)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "detect"}, "its decode parameters are none of the task 'detect'"),
        ({"decode": PLACES}, "its decode parameters are none of the task 'classify'"),
        ({"task": "detect", "decode": replace(PLACES, nms_iou=1.5)}, r"m\.json: decode: a value is out of range"),
        ({"task": "detect", "decode": replace(PLACES, layout="dense")}, r"m\.json: decode: a value is out of range"),
    ],
)
def test_decode_parameters_of_another_kind_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        artefact.parse_card(json.dumps(card(**changes).as_json()), where="m.json")


def test_one_flipped_byte_of_the_weights_is_found(folder: Path) -> None:
    weights = bytearray((folder / "m.safetensors").read_bytes())
    weights[500] ^= 1
    (folder / "m.safetensors").write_bytes(weights)
    with pytest.raises(DataError, match=r"m\.safetensors: was changed after it was written"):
        artefact.load_card(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "golden.npz").unlink()
    with pytest.raises(DataError, match=r"'golden\.npz' is missing"):
        artefact.load_card(folder)


def test_a_renamed_class_breaks_the_hash(folder: Path) -> None:
    path = folder / artefact.CARD_NAME
    document = json.loads(path.read_text())
    document["classes"][0] = "yes"
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="class names do not match their hash"):
        artefact.load_card(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b"{}", "not a model card"),
        (b'{"schema_version": 1, "decode": []}', "not a model card"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_junk_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        artefact.parse_card(text, where="x.onnx")


def test_a_card_of_the_future_is_refused() -> None:
    document = card().as_json() | {"schema_version": 99}
    with pytest.raises(DataError, match="card version 99"):
        Card.from_json(document, where="x")


def test_decode_gives_softmax_sigmoid_and_the_labels_own_scale() -> None:
    raw = np.array([[0.0, np.log(3.0)]])
    np.testing.assert_allclose(Decode().scores(raw, "classify"), [[0.25, 0.75]])
    np.testing.assert_allclose(Decode().scores(raw, "multilabel"), [[0.5, 0.75]])
    np.testing.assert_allclose(Decode(mean=10, std=2).scores(np.array([[1.5]]), "regress"), [[13.0]])
    np.testing.assert_allclose(Decode(temperature=2).scores(2 * raw, "classify"), [[0.25, 0.75]])


def test_decode_survives_huge_logits() -> None:
    scores = Decode().scores(np.array([[1e30, -1e30]]), "classify")
    np.testing.assert_array_equal(scores, [[1.0, 0.0]])
    assert np.isfinite(Decode().scores(np.array([[1e30, -1e30]]), "multilabel")).all()


@pytest.mark.parametrize(
    "edit",
    [
        lambda card: card["preprocess"].update(crop_pct=0.3),
        lambda card: card["decode"].update(temperature=50.0),
        lambda card: card.update(task="multilabel"),
        lambda card: card.pop("seal"),
    ],
)
def test_a_card_edited_by_hand_is_refused(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder / artefact.CARD_NAME
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"artefact\.json: was changed after it was written"):
        artefact.load_card(folder)

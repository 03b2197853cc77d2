"""From which score on an object counts: one confidence for all classes, or one each."""

from __future__ import annotations

import numpy as np
import pytest

from vision_cli.core.decoding.answers import PhotoObjects
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode

SAID = PhotoObjects(
    (100, 80),
    np.tile([0.0, 0.0, 10.0, 10.0], (5, 1)),
    np.array([0.9, 0.5, 0.4, 0.2, 0.1]),
    np.array([0, 1, 0, 2, 2]),
)


@pytest.mark.parametrize(
    ("confidence", "kept"), [((0.4,), [0, 1, 2]), ((0.5, 0.6, 0.15), [0, 3]), ((0.0, 1.0, 0.1), [0, 2, 3, 4])]
)
def test_each_class_counts_from_its_own_confidence_on(confidence: tuple[float, ...], kept: list[int]) -> None:
    found = SAID.above(confidence)
    assert found.scores.tolist() == SAID.scores[kept].tolist()
    assert found.classes.tolist() == SAID.classes[kept].tolist()


def test_fewer_confidences_than_classes_are_refused() -> None:
    with pytest.raises(DataError, match="2 confidences, but a class 2"):
        SAID.above((0.5, 0.5))


def test_a_confidence_a_class_comes_back_from_json_and_a_plain_number_is_one_for_all() -> None:
    decode = PlaceDecode("boxes", confidence=(0.25, 0.75))
    document = decode.as_json()
    assert PlaceDecode.from_json(document) == decode
    assert PlaceDecode.from_json({**document, "confidence": 0.3}).confidence == (0.3,)
    for broken in ([], [0.5, 1.5], "high", None):
        with pytest.raises(DataError, match="decode"):
            PlaceDecode.from_json({**document, "confidence": broken})

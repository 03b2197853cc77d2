"""A model never travels without its class map, preprocessing and decode parameters.

An artefact is a folder: `artefact.json` (the card), one weights file, and `golden.npz`, an input with the output that
the weights must give for it. An exported file carries the same card in its own metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tasks import PLACE_TASKS, TASKS

SCHEMA_VERSION = 1
CARD_NAME = "artefact.json"
GOLDEN_NAME = "golden.npz"
METADATA_KEY = "vision_artefact"
"""The key of the card in an exported file's own metadata."""
SEAL = "seal"
"""The member of `artefact.json` that holds the hash of all others."""
_MAX_CARD_BYTES = 10_000_000
_RAW = "raw"
"""The golden file's member of the first raw output; the others are raw1, raw2, ..."""


@dataclass(frozen=True, slots=True)
class Decode:
    """How raw outputs become answers.

    Attributes:
        temperature: logits are divided by it before softmax or sigmoid (Guo et al. 2017, temperature scaling).
        thresholds: a class; `multilabel` says yes at or above it.
        mean: of the training values; `regress` answers raw * std + mean.
        std: of the training values.
    """

    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "temperature": self.temperature,
            "thresholds": list(self.thresholds),
            "mean": self.mean,
            "std": self.std,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Decode:
        """Read what `as_json` wrote."""
        return cls(
            float(document["temperature"]),
            tuple(map(float, document["thresholds"])),
            float(document["mean"]),
            float(document["std"]),
        )

    def scores(self, raw: np.ndarray[Any, Any], task: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Decode raw (N, C) outputs into scores, as `Predictions.scores` says."""
        raw = raw.astype(np.float64)
        match task:
            case "classify":
                shifted = raw / self.temperature
                weights = np.exp(shifted - shifted.max(axis=1, keepdims=True))
                return np.asarray(weights / weights.sum(axis=1, keepdims=True))
            case "multilabel":
                return np.asarray(1 / (1 + np.exp(-np.clip(raw / self.temperature, -700, 700))))
            case "regress":
                return np.asarray(raw * self.std + self.mean)
            case _:
                raise DataError(f"no way to decode the task '{task}'.")


@dataclass(frozen=True, slots=True)
class Card:
    """Everything about a model but its weights.

    Attributes:
        task: one of TASKS.
        classes: the class map; empty for `regress`.
        preprocess: what happens to a photo first.
        decode: what happens to raw outputs last: `PlaceDecode` for PLACE_TASKS.
        family: line of the models table.
        model: options that build the network again, for its family.
        licence: SPDX identifier of network and weights.
        weights_file: name of the weights inside the folder; empty in an exported file.
        data_digest: `Dataset.digest()` of what it learned from.
        metrics: of the validation split.
        name: of the project.
        created: ISO 8601, UTC.
        layout: `nchw` or `nhwc`, the order of the exported file's input.
        precision: of the weights in the file.
        sha256: of each file beside the card.
    """

    task: str
    classes: ClassMap
    preprocess: Preprocess
    decode: Decode | PlaceDecode
    family: str
    model: Mapping[str, Any]
    licence: str
    name: str
    created: str
    weights_file: str = ""
    data_digest: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    layout: str = "nchw"
    precision: str = "float32"
    sha256: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "task": self.task,
            "classes": list(self.classes.names),
            "class_map": self.classes.digest,
            "preprocess": self.preprocess.as_json(),
            "decode": self.decode.as_json(),
            "family": self.family,
            "model": dict(self.model),
            "licence": self.licence,
            "created": self.created,
            "weights_file": self.weights_file,
            "data_digest": self.data_digest,
            "metrics": dict(self.metrics),
            "layout": self.layout,
            "precision": self.precision,
            "sha256": dict(self.sha256),
        }

    @property
    def photo_decode(self) -> Decode:
        """Return the decode parameters of one answer about the whole photo.

        Raises:
            DataError: the model says where things are.
        """
        if isinstance(self.decode, PlaceDecode):
            raise DataError(f"{self.name}: the model of the task '{self.task}' has no one answer about a photo.")
        return self.decode

    @property
    def place_decode(self) -> PlaceDecode:
        """Return the decode parameters of boxes, masks and pixels.

        Raises:
            DataError: the model says something about the whole photo.
        """
        if isinstance(self.decode, Decode):
            raise DataError(f"{self.name}: the model of the task '{self.task}' does not say where things are.")
        return self.decode

    @classmethod
    def from_json(cls, document: Any, *, where: str) -> Card:
        """Read what `as_json` wrote.

        Raises:
            DataError: not a card of a known version, or the class map does not match its hash.
        """
        try:
            card = cls._from(document)
        except DataError as error:
            raise DataError(f"{where}: {error.message}", hint=error.hint) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{where}: not a model card of vision: {error!r}.", hint="Export the model again with `vision export`."
            ) from error
        if document.get("schema_version") != SCHEMA_VERSION or card.task not in TASKS:
            raise DataError(
                f"{where}: card version {document.get('schema_version')!r} and task {card.task!r} are not known here.",
                hint="Update vision, or export the model again.",
            )
        if (card.task in PLACE_TASKS) != isinstance(card.decode, PlaceDecode):
            raise DataError(
                f"{where}: its decode parameters are none of the task {card.task!r}.",
                hint="Export the model again with `vision export`.",
            )
        if document["class_map"] != card.classes.digest:
            raise DataError(f"{where}: the class names do not match their hash.", hint="The file was changed by hand.")
        return card

    @classmethod
    def _from(cls, document: dict[str, Any]) -> Card:
        return cls(
            task=document["task"],
            classes=ClassMap(tuple(document["classes"])),
            preprocess=Preprocess.from_json(document["preprocess"]),
            decode=_decode_from(document["decode"]),
            family=document["family"],
            model=dict(document["model"]),
            licence=document["licence"],
            name=document["name"],
            created=document["created"],
            weights_file=document["weights_file"],
            data_digest=document["data_digest"],
            metrics=dict(document["metrics"]),
            layout=document["layout"],
            precision=document["precision"],
            sha256=dict(document["sha256"]),
        )


def _decode_from(document: dict[str, Any]) -> Decode | PlaceDecode:
    return PlaceDecode.from_json(document) if "layout" in document else Decode.from_json(document)


@dataclass(frozen=True, slots=True)
class Golden:
    """An input with the outputs that the weights must give for it.

    Attributes:
        photo: uint8 (H, W, C), already at the network's size, before normalisation.
        raw: float32 (1, ...) each, the torch model's outputs in their order.
    """

    photo: np.ndarray[Any, np.dtype[np.uint8]]
    raw: tuple[np.ndarray[Any, np.dtype[np.float32]], ...]


def save(folder: Path, card: Card, *, golden: Golden, weights: bytes, weights_file: str) -> Path:
    """Write an artefact folder whole and return it."""
    with files.new_folder(folder) as staging:
        files.write_bytes(staging / weights_file, weights)
        with (staging / GOLDEN_NAME).open("wb") as stream:
            named: dict[str, Any] = dict(zip(raw_names(len(golden.raw)), golden.raw, strict=True))
            np.savez_compressed(stream, photo=golden.photo, **named)
        sums = {name: files.file_sha256(staging / name) for name in (weights_file, GOLDEN_NAME)}
        document = replace(card, weights_file=weights_file, sha256=sums).as_json()
        files.write_json(staging / CARD_NAME, {**document, SEAL: _seal(document)})
    return folder


def raw_names(number: int) -> tuple[str, ...]:
    """Return the names of raw outputs, in the golden file and in exported files: raw, raw1, raw2, ..."""
    return tuple(f"{_RAW}{index or ''}" for index in range(number))


def _seal(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a card's members but the seal: preprocessing or thresholds edited by hand are found."""
    members = {key: value for key, value in document.items() if key != SEAL}
    return hashlib.sha256(files.json_text(members, indent=None).encode()).hexdigest()


def load_card(folder: Path) -> Card:
    """Read the card of an artefact folder.

    Raises:
        DataError: no card, not a card, or a file beside it is missing or was changed.
    """
    path = folder / CARD_NAME
    content = files.read_limited(path, max_bytes=_MAX_CARD_BYTES, what="the model card")
    card = parse_card(content, where=str(path))
    document = json.loads(content)
    if document.get(SEAL) != _seal(document):
        raise DataError(f"{path}: was changed after it was written.", hint="Copy the folder again, or train again.")
    for name, expected in card.sha256.items():
        file = folder / Path(name).name
        if not file.is_file():
            raise DataError(f"{folder}: '{name}' is missing.", hint="Copy the whole folder.")
        if files.file_sha256(file) != expected:
            raise DataError(f"{file}: was changed after it was written.", hint="Copy the folder again, or train again.")
    return card


def parse_card(text: bytes | str, *, where: str) -> Card:
    """Parse a card's JSON text.

    Raises:
        DataError: not JSON, or not a card.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise DataError(f"{where}: expected a JSON object.")
    return Card.from_json(document, where=where)


def load_golden(folder: Path) -> Golden:
    """Read the golden input of an artefact folder."""
    with np.load(folder / GOLDEN_NAME, allow_pickle=False) as arrays:
        names = raw_names(len(arrays.files) - 1)
        return Golden(arrays["photo"], tuple(arrays[name] for name in names))

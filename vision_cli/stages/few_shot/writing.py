"""`vision classes write`: few-shot classes as a model of the family `features`, for eval, export and report.

One network sees a photo once, so that the head is fitted anew to the network's own look, and calibrated on it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_cli.core import artefact, files
from vision_cli.core.artefact import Card, Decode, Golden
from vision_cli.core.catalogue import require
from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.few_shot.book import Book
from vision_cli.few_shot.heads import Ids
from vision_cli.few_shot.model import FewShot
from vision_cli.imaging import prepare, read
from vision_cli.stages import places
from vision_cli.stages.few_shot import describing, fitted, keeping
from vision_cli.stages.few_shot.changing import Asked

if TYPE_CHECKING:
    from vision_cli.core.contracts import Network, Runner

_FAMILY = "features"


@dataclass(frozen=True, slots=True)
class Written:
    """A model that was written.

    Attributes:
        folder: of it.
        classes: number of them.
        photos: that it was made of.
        head: that tells classes apart.
        backbone: that describes photos.
        left_out: share of left-out examples named rightly by this model; None where that cannot be told.
        notes: what differs from `vision predict` with the classes themselves.
        dry_run: nothing was written.
    """

    folder: Path
    classes: int
    photos: int
    head: str
    backbone: str
    left_out: float | None = None
    notes: tuple[str, ...] = ()
    dry_run: bool = False


def write(asked: Asked, folder: Path, progress: Progress) -> Written:
    """Write few-shot classes as a model's folder.

    Raises:
        UsageError: there are fewer than two classes, or the folder is there.
        DataError: a photo is gone or was changed.
        MissingPartError: torch is not installed.
    """
    path = keeping.place(asked.project)
    book = keeping.filled(path)
    if len(book.classes) < 2:
        raise UsageError("one class alone is no model.", hint="vision classes add ANOTHER photo1.jpg photo2.jpg")
    places.check_folder(folder.parent)
    if folder.exists():
        raise UsageError(f"{folder}: is there already.", hint="Choose another name.")
    require(("torch", "timm", "safetensors"), extra="train", what="vision classes write")
    about = (folder, len(book.classes), len(book.photos), book.head, book.backbone)
    if asked.dry_run:
        return Written(*about, dry_run=True)
    photos, classes = _photos(path, book)
    describer = describing.open_describer(
        book.backbone, progress, offline=asked.offline, store=keeping.embeddings(path)
    )
    vectors = describer.engines[0].embed(photos, progress)
    if vectors.refused:
        raise DataError("a photo cannot be read any more.", details=[reason for _, reason in vectors.refused[:10]])
    found = fitted.fit(book.names, book.head, vectors.vectors, classes)
    _save(folder, book, found, (photos[0], asked), progress)
    right = None if np.isnan(found.left_out) else found.left_out
    return Written(*about, right, _notes(found))


def _notes(found: FewShot) -> tuple[str, ...]:
    right = "" if np.isnan(found.left_out) else f"; left out, {found.left_out:.0%} of the examples are named rightly"
    return (
        f"It looks at a photo once, not in three ways{right}.",
        "It always names a class: it knows no 'none of these'.",
    )


def _photos(path: Path, book: Book) -> tuple[list[Path], Ids]:
    """Return the examples' photos and their classes.

    Raises:
        DataError: a photo is gone or was changed; all are named.
    """
    photos = [path.parent / example.photo for _, example in book.photos]
    wrong = [
        str(photo)
        for photo, (_, example) in zip(photos, book.photos, strict=True)
        if not photo.is_file() or files.file_sha256(photo) != example.sha256
    ]
    if wrong:
        raise DataError(
            f"{len(wrong)} of {len(photos)} examples are gone or were changed, and a model is made of the photos.",
            hint="Put them back, or take them out: vision classes remove CLASS PHOTO.",
            details=wrong[:10],
        )
    index = {name: at for at, name in enumerate(book.names)}
    return photos, np.array([index[name] for name, _ in book.photos], np.int64)


def _save(folder: Path, book: Book, found: FewShot, what: tuple[Path, Asked], progress: Progress) -> None:
    from vision_cli.runtimes.torch import TorchRunner
    from vision_cli.stages.running import loading

    photo, asked = what
    network = _network(book, found, asked, progress)
    runner = TorchRunner(_card(book, found, network, asked), network, 0.0, threads=1)
    golden = _golden(runner, photo)
    weights = loading.weights_of(network)
    artefact.save(folder, runner.card, golden=golden, weights=weights, weights_file=loading.WEIGHTS_NAME)


def _network(book: Book, found: FewShot, asked: Asked, progress: Progress) -> Network:
    import torch

    from vision_cli import models
    from vision_cli.models.feature_head import FeatureHead

    config = ModelConfig(family=_FAMILY, backbone=book.backbone)
    network = models.build(config, len(book.classes), offline=asked.offline, progress=progress)
    weight, bias = (torch.from_numpy(each).float() for each in (found.head.weight, found.head.bias))
    network.head = FeatureHead(weight, bias, link="none")
    network.eval()  # type: ignore[attr-defined]
    return network


def _card(book: Book, found: FewShot, network: Network, asked: Asked) -> Card:
    from vision_cli import models

    digest = hashlib.sha256(files.json_text(book.as_json()["classes"], indent=None).encode()).hexdigest()
    return Card(
        task="classify",
        classes=ClassMap(book.names),
        preprocess=network.preprocess,
        decode=Decode(temperature=found.temperature),
        family=_FAMILY,
        model=models.options(ModelConfig(family=_FAMILY, backbone=book.backbone), network),
        licence=network.licence,
        name=asked.project.config.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_digest=digest,
    )


def _golden(runner: Runner, path: Path) -> Golden:
    preprocess = runner.card.preprocess
    photo = read.read_photo(path, channels=preprocess.channels, at_least=prepare.needed_px(preprocess))
    seen = prepare.resized(photo, preprocess)
    return Golden(seen, runner.run_all(prepare.normalise(seen, preprocess)[None]))

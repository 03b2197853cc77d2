"""A network that has learned nothing of the user: ImageNet's classes at once, or the user's own classes by name.

`models.lite0` writes the wheel's EfficientNet-Lite0 with its classifier as an ordinary exported file, so that predict
and eval take it like any other. With a list of classes its output is the sum of the probabilities of those classes of
ImageNet that have the name, and what is left belongs to none of them.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from vision_cli.core import files
from vision_cli.core.artefact import METADATA_KEY, Card, Decode
from vision_cli.core.catalogue import listed, require
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.seal import sealed
from vision_cli.core.weights import cache_folder
from vision_cli.few_shot.book import NONE_OF_THESE
from vision_cli.models import known, wheels
from vision_cli.models.lite0 import graph, weights

NAMES = ("efficientnet_lite0", "tf_efficientnet_lite0", "tf_efficientnet_lite0.in1k")
DATASET = "imagenet-1k"
ALL = "all"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which of ImageNet's classes stand for which of the user's.

    Attributes:
        names: of the user's classes that have any.
        indices: of ImageNet's classes, one row a name.
        unknown: the user's classes that ImageNet has not.
    """

    names: tuple[str, ...]
    indices: tuple[tuple[int, ...], ...]
    unknown: tuple[str, ...]

    def said(self) -> list[str]:
        """Return one line a class: what stands for it, and what nothing does."""
        labels = known.labels(DATASET)
        rows = [
            f"'{name}' is ImageNet's {listed([labels[at] for at in some], 6)}"
            for name, some in zip(self.names, self.indices, strict=True)
        ]
        return [*rows, *(f"'{name}' is no class of ImageNet: it is never answered" for name in self.unknown)]


def is_known(model: Path | None) -> bool:
    """Return whether a model is one by name, and no file or folder."""
    return model is not None and str(model) in NAMES and not model.exists()


def opened(classes: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """Return the network's file for a user's classes, and what stands for each; for none, or `all`, its own classes.

    Raises:
        UsageError: ImageNet has none of them.
        MissingPartError: the weights or ONNX Runtime are not installed.
    """
    if not classes or tuple(classes) == (ALL,):
        return file_of(), ()
    found = mapped(classes)
    return file_of(found), tuple(found.said())


def labels() -> tuple[str, ...]:
    """Return ImageNet's class names in the network's order, the second of a name with its number."""
    found: dict[str, int] = {}
    for at, name in enumerate(known.labels(DATASET)):
        found[name if name not in found else f"{name} ({at})"] = at
    return tuple(found)


def mapped(classes: Sequence[str]) -> Mapped:
    """Return which of ImageNet's classes have the user's names; one that two of them name goes to the surer.

    Raises:
        UsageError: ImageNet has none of them.
    """
    claims: dict[int, tuple[int, int]] = {}
    for at, name in enumerate(classes):
        for found in known.known([name]):
            if found.dataset == DATASET:
                claim = (known.WAYS.index(found.how), at)
                claims[found.index] = min(claims.get(found.index, claim), claim)
    rows = [tuple(sorted(index for index, (_, own) in claims.items() if own == at)) for at in range(len(classes))]
    if not any(rows):
        raise UsageError(
            f"ImageNet has none of the classes {listed(list(classes), 6)}.",
            hint="Learn them from a few photos: vision classes add CLASS photo1.jpg photo2.jpg",
        )
    pairs = [(name, some) for name, some in zip(classes, rows, strict=True) if some]
    without = tuple(name for name, some in zip(classes, rows, strict=True) if not some)
    return Mapped(tuple(name for name, _ in pairs), tuple(some for _, some in pairs), without)


def file_of(classes: Mapped | None = None) -> Path:
    """Return the network as an exported file in the user's cache, written now if it is not there.

    Args:
        classes: whose names it answers with, and `none of these`; None answers with ImageNet's own.

    Raises:
        MissingPartError: the weights or ONNX Runtime are not installed.
        ResourceError: the cache cannot be written.
    """
    require(("onnxruntime",), extra="onnx", what=f"the model '{NAMES[0]}'")
    if classes is None:
        return _written(labels(), ())
    return _written(*_groups(classes))


def _written(names: tuple[str, ...], groups: tuple[tuple[int, ...], ...]) -> Path:
    text = files.json_text([_VERSION, weights.SHA256, names, groups], indent=None)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = cache_folder().parent / "backbones" / f"{NAMES[0]}-{digest}.onnx"
    if not path.is_file():
        with files.disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):
                if not path.is_file():
                    files.write_bytes(path, _content(names, groups))
    return path


def answered(classes: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...], tuple[str, ...]]:
    """Return the names that answers have, ImageNet's classes that each stands for, and what is to be said of it.

    Args:
        classes: the user's; for none, or `all`, the names are ImageNet's own, and no classes are listed.

    Raises:
        UsageError: ImageNet has none of them.
    """
    if not classes or tuple(classes) == (ALL,):
        return labels(), (), ()
    found = mapped(classes)
    return *_groups(found), tuple(found.said())


def card_of(names: tuple[str, ...]) -> Card:
    """Return the network's card, for answers of these names."""
    return Card(
        task="classify",
        classes=ClassMap(names),
        preprocess=graph.PREPROCESS,
        decode=Decode(),
        family="timm",
        model={"backbone": NAMES[1], "weights": "imagenet"},
        licence=wheels.LICENCE,
        name=NAMES[0],
        created="",
    )


def _groups(classes: Mapped) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    taken = {at for row in classes.indices for at in row}
    rest = tuple(at for at in range(graph.N_CLASSES) if at not in taken)
    return (*classes.names, NONE_OF_THESE), (*classes.indices, rest)


def _content(names: tuple[str, ...], groups: tuple[tuple[int, ...], ...]) -> bytes:
    values = weights.tensors()

    def packed(text: str) -> bytes:
        return graph.onnx_bytes(values, (graph.LOGITS,), metadata=[(METADATA_KEY, text)], groups=groups)

    return sealed(replace(card_of(names), layout="nchw", precision="float32"), packed)


def has_classes(backbone: str) -> bool:
    """Return whether a backbone's own classes can be named here."""
    return (
        backbone in NAMES and weights.wheel_file() is not None and importlib.util.find_spec("onnxruntime") is not None
    )

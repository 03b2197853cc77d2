"""Embeddings for the deep checks: photos and crops of boxes through the frozen default backbone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vision_cli.checks import embedded
from vision_cli.checks.embedded import Embedded
from vision_cli.checks.intervals import Ids
from vision_cli.checks.out_of_fold import Rows
from vision_cli.checks.request import Request
from vision_cli.core.catalogue import require
from vision_cli.core.config import ModelConfig
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.weights import cache_folder
from vision_cli.imaging.draw import thumbnail
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.write import encode_png

NEEDS = ("torch", "timm", "sklearn", "safetensors")
OF_LABELS = frozenset(("label-doubtful", "variety-class", "class-needs-photos"))
"""Checks that look at the crops of boxes where there are boxes."""

_CROP_PX = 320
_PLACE_DIGITS = 16
_SHARES = ("recall", "accuracy", "f1")


def check_parts() -> None:
    """Refuse before any work when networks are not installed.

    Raises:
        MissingPartError: with the pip line.
    """
    require(NEEDS, extra="train", what="vision data check --deep")


def with_embeddings(
    asked: Request, paths: Sequence[Path], names: Sequence[str], home: Project | Path, progress: Progress
) -> Request:
    """Return a request with embeddings of the photos that could be decoded, and of crops if a check wants those.

    Args:
        asked: with photos.
        paths: of the photos, by row.
        names: of the checks.
        home: a project keeps the embeddings beside its file, and its KPIs say which recall is wanted; those of a bare
            folder or file stay in the user's cache.
        progress: is told how many photos are done.

    Raises:
        MissingPartError: torch or the weights are not installed.
    """
    if asked.photos is None:
        return asked
    rows = np.flatnonzero(asked.photos.good)
    rng = np.random.default_rng(int(asked.settings.seed))
    wanted = bool(OF_LABELS & set(names))
    drawn, boxes = embedded.drawn_boxes(asked, rng) if wanted else (np.empty(0, np.int64), 0)
    config = ModelConfig()
    store = _of_the_user(home) if isinstance(home, Path) else home.root / ".vision" / "embeddings"
    photos = _embed([paths[row] for row in rows.tolist()], store, progress)
    crops = _crops((asked, drawn, paths), photos.shape[1], store, progress)
    bounds = {} if isinstance(home, Path) else kpi_bounds(home)
    groups = embedded.groups_of(asked)
    return replace(asked, deep=Embedded(rows, photos, groups, drawn, crops, boxes, config.backbone, bounds))


def _of_the_user(data: Path) -> Path | None:
    """Return the folder for embeddings of bare data, one for each place of data; None where nothing can be kept."""
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:_PLACE_DIGITS]
    folder = cache_folder().parent / "embeddings" / digest
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def kpi_bounds(project: Project) -> Mapping[str, float]:
    """Return the recall that a project's KPIs ask of each class, by name; "" for all, from accuracy, recall or F1."""
    wanted = [kpi for kpi in project.config.targets() if kpi.metric in _SHARES and kpi.op in (">", ">=")]
    named = [(kpi.label or "", kpi.bound) for kpi in wanted if kpi.label is None or kpi.metric == "recall"]
    return dict(sorted(named))


def _embed(paths: Sequence[Path], store: Path | None, progress: Progress) -> Rows:
    from vision_cli.stages.embedding.engine import EngineOptions, embed_photos

    options = EngineOptions(offline=True, store=store, keep=store is not None, prepare="if it pays")
    found = embed_photos(paths, None, options, progress=progress)
    return np.asarray(found.vectors)


def _crops(what: tuple[Request, Ids, Sequence[Path]], length: int, store: Path | None, progress: Progress) -> Rows:
    """Cut boxes out, at most _CROP_PX long, and embed them; each photo is decoded once, the crops lie on the disk.

    Kept by the crop's own content: a box that moved is another crop, and a photo of the same bytes elsewhere none.

    Args:
        what: request, annotations drawn, paths of the photos by row.
        length: of a vector.
        store: keeps them; None keeps nothing.
        progress: hears how many photos are done.
    """
    asked, drawn, paths = what
    if not len(drawn):
        return np.empty((0, length), np.float32)
    by_photo: dict[int, list[int]] = {}
    for row in drawn.tolist():
        by_photo.setdefault(int(asked.rows[row]), []).append(row)
    with tempfile.TemporaryDirectory(prefix="vision-crops-") as folder:
        for done, (image, rows) in enumerate(by_photo.items()):
            photo = read_photo(paths[image])
            for row in rows:
                left, top, right, bottom = embedded.crop_edges(asked, row, (photo.shape[1], photo.shape[0]))
                crop = thumbnail(photo[top:bottom, left:right], _CROP_PX)
                # Not through core.files: nobody needs these on the disk after a crash.
                (Path(folder) / f"{row}.png").write_bytes(encode_png(crop))
            progress.step("cut boxes out", done + 1, len(by_photo))
        return _embed([Path(folder) / f"{row}.png" for row in drawn.tolist()], store, progress)

"""`vision embed`: photos as vectors, in a Parquet file, and laid flat on a map."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import files, run
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.models.defaults import WEIGHT_WORDS
from vision_cli.reports import maps
from vision_cli.stages import places
from vision_cli.stages.embedding import inputs
from vision_cli.stages.embedding.engine import PENULTIMATE, Embeddings, Engine, EngineOptions
from vision_cli.stages.embedding.flat_map import flat_map
from vision_cli.stages.embedding.inputs import Entry, Wanted
from vision_cli.stages.embedding.sources import Published, Source, Trained
from vision_cli.stages.running import loading

STAGE, RESULT_NAME, VECTORS_NAME = "embed", "result.json", "embeddings.parquet"
_MAP_PHOTOS = 3000
_DIGITS = 4
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Network:
    """Which layer of which network.

    Attributes:
        layer: by name.
        model: run or folder of a trained model; None takes a published backbone.
        backbone: its name; None is the one of the project file.
        threads: that compute at once; None is one a core.
    """

    layer: str = PENULTIMATE
    model: Path | None = None
    backbone: str | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """What to embed, and where to.

    Attributes:
        photos: to look at.
        network: that looks.
        to: Parquet file; in the project's runs when None.
        page: HTML page of the map; None writes none but that of `vision report`.
        dry_run: write nothing.
    """

    photos: Wanted
    network: Network = field(default_factory=Network)
    to: Path | None = None
    page: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """What came of it.

    Attributes:
        network: its name.
        layer: of it.
        runtime: that computed.
        ms: a photo took by runtime with one thread, where that was measured.
        photos: that have a vector.
        length: of a vector.
        computed: photos that went through the network now.
        seconds: that it took.
        refused: path and reason of the others.
        output: the Parquet file; None where a dry run would make a run's folder for it.
        page: of the map.
        map: how it was made, its note, and for each point x, y, label and path.
        licence: of network and weights.
        written: false after a dry run.
    """

    network: str
    layer: str
    runtime: str
    ms: Mapping[str, float]
    photos: int
    length: int
    computed: int
    seconds: float
    refused: tuple[tuple[str, str], ...]
    output: Path | None
    page: Path | None
    map: Mapping[str, Any]
    licence: str
    written: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        members = {name: getattr(self, name) for name in self.__slots__ if name not in ("refused", "map")}
        refused = [{"path": path, "reason": reason} for path, reason in self.refused]
        return {**members, "ms": dict(self.ms), "refused": refused, "map": {"how": self.map["how"]}}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Photos with their vectors.

    Attributes:
        paths: of those that could be read.
        labels: of them.
        vectors: float32 (N, D).
        refused: path and reason of the others.
        computed: photos that went through the network now.
        seconds: that it took.
    """

    paths: list[str]
    labels: list[str | None]
    vectors: NDArray[np.float32]
    refused: tuple[tuple[str, str], ...]
    computed: int
    seconds: float


def embed(request: EmbedRequest, progress: Progress) -> EmbedResult:
    """Write the vectors of photos, and lay them flat.

    Raises:
        UsageError: there is no such layer, network, view or file, or an output would replace something.
        DataError: no photo can be read, or data is refused.
        MissingPartError: torch or weights are not here.
        ResourceError: the results cannot be written.
    """
    project = request.photos.project
    _check_targets(request)
    source = source_of(project, request.network)
    record = None
    if project.file is not None and not request.dry_run:
        manifest = {"network": source.name, "layer": request.network.layer, "inputs": list(request.photos.inputs)}
        record = run.create(project.root, STAGE, project.config.name, manifest)
    with nullcontext() if record is None else run.recorded(record):
        engine, found = gather(request.photos, source, request.network, progress)
        result = _result(source, request.network.layer, engine, found)
        if request.dry_run:
            return replace(result, output=request.to, page=request.page, written=False)
        return _written(request, result, found, record)


def _check_targets(request: EmbedRequest) -> None:
    project = request.photos.project
    inputs.check(request.photos)
    if request.to is None and project.file is None:
        raise UsageError("where to?", hint="Give a file: --to vectors.parquet. A project keeps them in its runs.")
    if request.to is not None and request.to.suffix.lower() != ".parquet":
        raise UsageError(f"{request.to}: vectors are written as Parquet.", hint="End its name in .parquet.")
    if request.page is not None and request.page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{request.page}: the map is a page.", hint="End its name in .html.")
    reads = [Path(text) for text in request.photos.inputs if Path(text).exists()]
    places.check_files(request.to, request.page, project=project, reads=reads)


def source_of(project: Project, network: Network) -> Source:
    """Return the network that is meant: a trained one, a published one by name, or the project's backbone.

    Raises:
        UsageError: two are named.
        DataError: the model is not there.
    """
    if network.model is not None and network.backbone is not None:
        raise UsageError("--model and --backbone name two networks.", hint="Give one of them.")
    if network.model is not None:
        return Trained(loading.find_model(project, network.model))
    if network.backbone is not None:
        return Published(network.backbone)
    model = project.config.model
    if model.weights == "coco":
        return Published()
    own = model.weights not in WEIGHT_WORDS
    return Published.of(model.model_copy(update={"weights": str(project.path(model.weights))}) if own else model)


def store_of(project: Project) -> Path | None:
    """Return where a project keeps vectors; None is the user's cache."""
    return None if project.file is None else project.root / ".vision" / "embeddings"


def gather(
    photos: Wanted, source: Source, network: Network, progress: Progress, *, engine: Engine | None = None
) -> tuple[Engine, Gathered]:
    """Return the vectors of all photos that can be read, and what computed them: an engine that is open, or a new one.

    Raises:
        DataError: none can be read.
    """
    parts: list[tuple[list[Entry], Embeddings]] = []
    for chunk in inputs.chunks(photos):
        engine = engine or open_engine(photos, source, network, len(chunk), progress)
        found = engine.embed([entry.photo for entry in chunk], progress)
        parts.append(([replace(entry, photo=Path()) for entry in chunk], found))
    if engine is None or not any(found.kept for _, found in parts):
        reasons = [reason for _, found in parts for _, reason in found.refused]
        raise DataError("there is no photo that can be read.", details=reasons[:_SHOWN], hint="Check the paths.")
    kept = [chunk[at] for chunk, found in parts for at in found.kept]
    return engine, Gathered(
        paths=[entry.path for entry in kept],
        labels=[entry.label for entry in kept],
        vectors=np.concatenate([found.vectors for _, found in parts]),
        refused=tuple((chunk[at].path, reason) for chunk, found in parts for at, reason in found.refused),
        computed=sum(found.computed for _, found in parts),
        seconds=sum(found.seconds for _, found in parts),
    )


def open_engine(photos: Wanted, source: Source, network: Network, number: int, progress: Progress) -> Engine:
    """Return the engine of a layer, its vectors kept beside the project file."""
    often = isinstance(source, Published) and network.layer == PENULTIMATE
    options = EngineOptions(
        network.layer,
        offline=photos.offline,
        store=store_of(photos.project),
        threads=network.threads,
        prepare="always" if often else "if it pays",
    )
    return Engine.open(source, options, progress=progress, photos=number)


def _result(source: Source, layer: str, engine: Engine, found: Gathered) -> EmbedResult:
    rows = np.linspace(0, len(found.paths) - 1, min(len(found.paths), _MAP_PHOTOS)).astype(int)
    flat = flat_map(found.vectors[rows])
    points = [
        [round(float(x), _DIGITS), round(float(y), _DIGITS), found.labels[row], found.paths[row]]
        for (x, y), row in zip(flat.places, rows.tolist(), strict=True)
    ]
    ms = {} if engine.facts is None else engine.facts.ms
    counts = (len(found.paths), engine.n_features, found.computed, found.seconds)
    shown = {"how": flat.how, "note": flat.note, "points": points}
    said = (source.name, layer, engine.runtime, ms, *counts)
    return EmbedResult(*said, found.refused, None, None, shown, engine.licence)


def _written(request: EmbedRequest, result: EmbedResult, found: Gathered, record: run.Run | None) -> EmbedResult:
    to = request.to or (record.folder / VECTORS_NAME if record else Path(VECTORS_NAME))
    files.write_bytes(to, parquet(found, result))
    result = replace(result, output=to, page=request.page)
    if request.page is not None:
        title = ", ".join(request.photos.inputs) or request.photos.project.config.name
        files.write_text(request.page, maps.render(title, map_of(result)))
    if record is not None:
        document = {**result.as_json(), "map": result.map}
        files.write_json(record.folder / RESULT_NAME, document)
    return result


def parquet(found: Gathered, result: EmbedResult) -> bytes:
    """Return the file: path, label, vector; network, layer and runtime in its metadata."""
    import pyarrow.parquet as pq

    length = found.vectors.shape[1]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(found.vectors.ravel()), length)
    about = {"network": result.network, "layer": result.layer, "runtime": result.runtime, "licence": result.licence}
    table = pa.table(
        {"path": pa.array(found.paths), "label": pa.array(found.labels, pa.string()), "vector": lists},
        metadata={f"vision.{name}": text for name, text in about.items()},
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def map_of(result: EmbedResult) -> maps.Map:
    """Return the map as reports draw it."""
    return maps.read({**result.as_json(), "map": result.map})

"""The processes of a Ray cluster that make the photos of a run.

A task is the photos of one scene. It takes the bytes of its background, and gives those of its photos back, so the
machines need no disk in common: this process alone reads the project and writes the run. Ray gives a task of a process
or machine that ended to another one.
"""

from __future__ import annotations

import hashlib
import os
import pickle  # what is unpickled here was pickled by this run
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import MissingPartError, ResourceError
from vision_cli.stages import ray_cluster
from vision_cli.stages.synth.making.maker import Maker, Record, background_of
from vision_cli.synth import analysis, cache, libraries
from vision_cli.synth.scene import AnalysisSettings, Background, Scene

_AHEAD = 3
_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Task:
    """The photos of one scene.

    Attributes:
        indices: of the photos.
        which: number of their background.
        content: of its file.
        scene: its analysis as `cache.pack` writes it; None where it is to be made.
        depth_map: name and content of the user's own map, where the analysis needs it.
    """

    indices: tuple[int, ...]
    which: int
    content: bytes
    scene: bytes | None
    depth_map: tuple[str, bytes] | None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task.

    Attributes:
        photos: what is known of each, and its file's content.
        scene: the analysis.
        node: name of the machine.
    """

    photos: list[tuple[Record, bytes]]
    scene: bytes
    node: str = ""


def do(maker: Maker, task: Task) -> Done:
    """Make the photos of a task; nothing is written or read but what the task holds.

    Raises:
        DataError: the background or its depth map is refused.
    """
    asked = maker.asked
    path = asked.folder / asked.backgrounds[task.which]
    background = analysis.background_of(task.content, path, asked.image_size)
    packed = task.scene or cache.pack(_analysed(maker, background, task.depth_map))
    maker.hold(task.which, background, cache.unpack(packed))
    return Done([maker.photo(index) for index in task.indices], packed)


def _analysed(maker: Maker, background: Background, depth_map: tuple[str, bytes] | None) -> Scene:
    settings, offline = maker.asked.analysis, maker.asked.offline
    if depth_map is None:
        return analysis.analyse(background, settings, offline=offline)
    with tempfile.TemporaryDirectory(prefix="vision-depth-") as folder:
        (Path(folder) / depth_map[0]).write_bytes(depth_map[1])
        return analysis.analyse(background, replace(settings, depth_folder=Path(folder)), offline=offline)


@dataclass(slots=True)
class Sending:
    """Makes tasks of groups of photos, and keeps what comes back.

    Attributes:
        maker: of this process.
        checked: machines whose photos are known to be those of this one.
    """

    maker: Maker
    checked: set[str] = field(default_factory=set)
    _scenes: dict[int, Path] = field(default_factory=dict)

    def task(self, indices: Sequence[int]) -> Task:
        """Return the photos of one scene as a task.

        Raises:
            DataError: the background cannot be read, or has no depth map.
        """
        asked = self.maker.asked
        which = background_of(asked, indices[0])
        path = asked.folder / asked.backgrounds[which]
        with files.disk_errors(path):
            content = path.read_bytes()
        kept = self._kept(which, content, path)
        scene = _sound(kept)
        depth_map = _depth_map(asked.analysis, path) if scene is None else None
        return Task(tuple(indices), which, content, scene, depth_map)

    def _kept(self, which: int, content: bytes, path: Path) -> Path:
        """Return where a background's analysis is kept."""
        if which not in self._scenes:
            asked = self.maker.asked
            background = analysis.background_of(content, path, asked.image_size)
            self._scenes[which] = cache.path_of(background, asked.analysis, asked.cache)
        return self._scenes[which]

    def keep(self, task: Task, done: Done) -> list[Record]:
        """Write what came of a task.

        Raises:
            ResourceError: the disk refuses, or the machine makes other photos than this one.
        """
        if done.node not in self.checked:
            self._check(task, done)
        if task.scene is None:
            files.write_bytes(self._scenes[task.which], done.scene)
        return [self.maker.keep(record, content) for record, content in done.photos]

    def _check(self, task: Task, done: Done) -> None:
        """Make the first photo of a machine here as well: another processor may round otherwise."""
        own = do(Maker(self.maker.asked), replace(task, indices=task.indices[:1]))
        if own.photos[0] != done.photos[0] or own.scene != done.scene:
            raise ResourceError(
                f"{done.node}: makes another photo {task.indices[0]} than this machine, of the same inputs.",
                hint="Its processor or its libraries differ. Leave it out of the cluster; what is made stays.",
            )
        self.checked.add(done.node)


def _sound(path: Path) -> bytes | None:
    """Return the content of an analysis that is kept, if there is one that can be read."""
    try:
        content = path.read_bytes()
        cache.unpack(content)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made again
        return None
    return content


def _depth_map(settings: AnalysisSettings, photo: Path) -> tuple[str, bytes] | None:
    if settings.depth != "file":
        return None
    from vision_cli.synth.depth import file

    path = file.find(settings.depth_folder, photo)
    with files.disk_errors(path):
        return path.name, path.read_bytes()


def make(
    maker: Maker, groups: Sequence[Sequence[int]], workers: int | None, notes: list[str]
) -> Iterator[list[Record]]:
    """Yield the records of each group of photos in the order of the groups, whichever machine makes them.

    Args:
        maker: of this process.
        groups: photos by scene.
        workers: most tasks at a time; None is one a core of the cluster.
        notes: gets a sentence on the cluster.

    Raises:
        DataError: a background cannot be read.
        MissingPartError: Ray is missing here, or the package on a machine of the cluster.
        ResourceError: no cluster answers, the disk refuses, or machines differ.
    """
    ray_cluster.check_parts()
    sending = Sending(maker)
    with ray_cluster.joined(workers) as (cores, said):
        notes += said
        run = _Run(maker)
        waiting: deque[tuple[Task, Any]] = deque()
        ahead = workers or max(1, cores) * _AHEAD
        for group in groups:
            task = sending.task(group)
            waiting.append((task, run.start(task)))
            if len(waiting) >= ahead:
                yield sending.keep(*run.result(*waiting.popleft()))
        while waiting:
            yield sending.keep(*run.result(*waiting.popleft()))


class _Run:
    """Tasks of one run on the cluster."""

    def __init__(self, maker: Maker) -> None:
        import ray

        content = pickle.dumps((maker.asked, libraries.versions()))
        self._name = hashlib.sha256(content).hexdigest()
        self._inputs = ray.put(content)
        self._remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(_in_a_process)

    def start(self, task: Task) -> Any:
        return self._remote.remote(self._name, [self._inputs], task)

    def result(self, task: Task, reference: Any) -> tuple[Task, Done]:
        """Wait for a task.

        Raises:
            VisionError: what stopped it there.
            MissingPartError: a machine lacks the package.
            ResourceError: the processes that did it ended one after another, or the cluster did.
        """
        import ray

        try:
            done: Done = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, ImportError):
                raise MissingPartError(
                    f"a machine of the cluster lacks a package: {cause}.",
                    hint="Install the same vision-cli[ray] on all of them, into the Python that Ray runs there.",
                ) from None
            raise cause from None
        except ray.exceptions.RayError as error:
            first = str(error).strip().partition("\n")[0]
            raise ResourceError(
                f"the Ray cluster gave photos {task.indices[0]} to {task.indices[-1]} up: {first}",
                hint="Call the command again: what is made stays.",
            ) from error
        return task, done


_makers: dict[str, Maker] = {}


def _in_a_process(name: str, inputs: list[Any], task: Task) -> Done:
    """Do a task in a process of the cluster, which reads the run's inputs once."""
    import ray

    if name not in _makers:
        asked, versions = pickle.loads(ray.get(inputs[0]))  # noqa: S301 - written by this run's first process
        _check_versions(versions)
        _makers.clear()
        _makers[name] = Maker(asked)
    node = f"{os.uname().nodename} ({ray.get_runtime_context().get_node_id()[:8]})"
    return replace(do(_makers[name], task), node=node)


def _check_versions(wanted: dict[str, str]) -> None:
    """Refuse other libraries than those of the first process: photos might differ.

    Raises:
        ResourceError: naming machine and versions.
    """
    own = libraries.versions()
    different = [
        f"{name} {own.get(name)} there, {wanted[name]} here" for name in wanted if own.get(name) != wanted[name]
    ]
    if different:
        raise ResourceError(
            f"{os.uname().nodename}: {', '.join(different)}.",
            hint="Install the same versions on all machines of the cluster.",
        )

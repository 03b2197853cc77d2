"""Photos that a run starts from: a folder or file, or a view, of which only one side of the split serves.

A photo that is made shows parts of those that it is made of. If one of these judges a model, what is made of it must
not teach that model; so what is made from a view stands on the side of the split that the view's photos stand on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.core.catalogue import suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import Project
from vision_cli.stages import data, split_memory


@dataclass(frozen=True, slots=True)
class Word:
    """A word for photos, and where it stands.

    Attributes:
        option: of the command line, without dashes.
        given: on the line; a path there counts from the working directory.
        key: dotted, in the project file.
        declared: there; a path there counts from that file.
        what: it stands for, where the option does not say it.
    """

    option: str
    given: str | None
    key: str
    declared: str | None
    what: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The name of a view of the project."""

    name: str


def resolved(project: Project, word: Word) -> Path | View:
    """Return what a word means: a path that is there, or a view.

    Raises:
        UsageError: there is no word, or it means both.
        DataError: it means neither.
    """
    text = word.declared if word.given is None else word.given
    if text is None:
        hint = f"Say --{word.option} FOLDER, or set {word.key} in vision.yaml."
        raise UsageError(f"which {word.what or word.option}?", hint=hint)
    path = project.path(text) if word.given is None else Path(text)
    views = (*project.config.data.views, *((data.ALL,) if project.config.data.sources else ()))
    plain = os.sep not in text and text not in (".", "..")
    if plain and text in views:
        if path.exists():
            raise UsageError(f"'{text}' is a view and a path.", hint=f"Write ./{text} for the path.")
        return View(text)
    if not path.exists():
        guess = suggestion(text, views) if plain else None
        hint = f"Did you mean the view '{guess}'?" if guess else f"Name what holds the {word.what or word.option}."
        also = ", and no view of that name" if plain and views else ""
        raise DataError(f"{path}: there is no such folder{also}.", hint=hint)
    return path


@dataclass(frozen=True, slots=True)
class Views:
    """Reads views, each once.

    Attributes:
        project: that has them.
        side: of the split whose photos serve.
        remember: write down what is dealt, as training does; without, nothing is written.
    """

    project: Project
    side: str
    remember: bool
    _read: dict[str, Dataset] = field(default_factory=dict)

    def photos(self, name: str) -> Dataset:
        """Return the photos of a view on the side that serves.

        Raises:
            UsageError: the view is wrong.
            DataError: a source is refused, or no photo is on that side.
        """
        return self._part(self.whole(name).split(self.side), f"the view '{name}'")

    def whole(self, name: str) -> Dataset:
        """Return all photos of a view.

        The split is the one that training sees: photos without one are dealt, and that is remembered.

        Raises:
            UsageError: the view is wrong.
            DataError: a source is refused.
        """
        if name not in self._read:
            project = self.project
            dataset = data.load_photos(project, name)
            if not len(dataset):
                raise DataError(f"the view '{name}' has no photo.", hint=f"See `vision data view {name}`.")
            task, rule = data.resolve_task(project, dataset), data.split_rule(project, name)
            self._read[name] = split_memory.split(project, dataset, task, remember=self.remember, rule=rule)
        return self._read[name]

    def of_side(self, dataset: Dataset, title: str) -> Dataset:
        """Return the photos of a data set that may serve: where it comes with a split, none of its other sides.

        Raises:
            DataError: none may.
        """
        splits = dataset.splits()
        return self._part(dataset.select((splits == self.side) | (splits == "")), title)

    def _part(self, dataset: Dataset, title: str) -> Dataset:
        if not len(dataset):
            raise DataError(
                f"{title}: has no photo on the side '{self.side}' of its split.",
                hint="Photos of the other sides are kept for judging. Choose another with the setting `side`.",
            )
        return dataset

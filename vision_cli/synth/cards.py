"""What a line of the tables of this room says beyond its module."""

from __future__ import annotations

from dataclasses import dataclass

from vision_cli.core.catalogue import Card


@dataclass(frozen=True, slots=True)
class DepthCard(Card):
    """One depth estimator.

    Attributes:
        learned: whether a trained network gives the depth; one that is not says so in its module.
        parameters_m: millions of the network's parameters, by its authors.
        size_mb: of the file that is downloaded.
        source: URL of the authors' own page.
    """

    learned: bool = True
    parameters_m: float = 0.0
    size_mb: float = 0.0
    source: str = ""

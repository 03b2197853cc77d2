"""Cover by share, as anti-aliasing and the lens leave it."""

from __future__ import annotations

from vision_cli.synth.looks.sample import Sample


def apply(sample: Sample) -> Sample:
    """Leave an object as it is."""
    return sample

"""Where a model is to run: what it may weigh there, how fast such a machine is, and what file it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine.

    Attributes:
        title: as it is told.
        file: `tflite` or `onnx`.
        macs_per_ms: multiply-adds a millisecond that networks of this trade reach there: our assumption, for a first
            choice; measure on the device.
        most_mb: largest sensible file of weights.
        limit: what the size comes from.
    """

    title: str
    file: str
    macs_per_ms: float
    most_mb: float
    limit: str


TARGETS: Mapping[str, Target] = {
    "phone": Target("phone (Android, iOS)", "tflite", 25e6, 40, "apps are downloaded over mobile networks"),
    "jetson": Target("Jetson", "onnx", 300e6, 400, "memory is shared with the GPU"),
    "cpu": Target("CPU server", "onnx", 60e6, 500, "memory of a small server, several workers"),
    "gpu": Target("GPU", "onnx", 4000e6, 2000, "memory of one GPU beside the activations"),
    "browser": Target("browser", "onnx", 8e6, 25, "every visitor downloads it"),
    "serverless": Target(
        "serverless", "onnx", 20e6, 250, "500 MB unpacked with the runtime and its libraries, 3 GB of memory"
    ),
    "edge": Target("small board (Raspberry Pi)", "tflite", 6e6, 60, "memory and the card it starts from"),
}
ALIASES: Mapping[str, str] = {
    "android": "phone",
    "ios": "phone",
    "iphone": "phone",
    "mobile": "phone",
    "orin": "jetson",
    "nano": "jetson",
    "server": "cpu",
    "laptop": "cpu",
    "pc": "cpu",
    "cloud": "gpu",
    "cuda": "gpu",
    "web": "browser",
    "wasm": "browser",
    "lambda": "serverless",
    "function": "serverless",
    "raspberry": "edge",
    "raspberry-pi": "edge",
    "rpi": "edge",
    "pi": "edge",
}
DEFAULT = "cpu"


def named(word: str) -> str:
    """Return the key of a target that the user names.

    Raises:
        UsageError: there is none.
    """
    name = word.strip().casefold()
    name = ALIASES.get(name, name)
    if name not in TARGETS:
        known = (*TARGETS, *ALIASES)
        raise UsageError(f"--deploy: unknown target '{word}'.", hint=hint_for(word, known, what="One of"))
    return name


def milliseconds(word: str) -> float:
    """Return a time such as `33ms`, `0.5s` or `30fps` in milliseconds.

    Raises:
        UsageError: it is no such time.
    """
    text = word.strip().casefold().replace(" ", "")
    for ending, factor in (("ms", 1.0), ("fps", 0.0), ("s", 1000.0), ("", 1.0)):
        if text.endswith(ending):
            number = _number(text.removesuffix(ending))
            if number is None or not 0 < number < 1e7:
                break
            return 1000 / number if ending == "fps" else number * factor
    raise UsageError(f"--latency: {word!r} is no time.", hint="For example 33ms, 0.5s or 30fps.")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def is_permissive(word: str) -> bool:
    """Return whether only licences that ask for no more than their mention will do.

    Raises:
        UsageError: it is neither `permissive` nor `any`.
    """
    if word not in ("permissive", "any"):
        raise UsageError(f"--license: '{word}' is neither permissive nor any.", hint="Say --license any for all.")
    return word == "permissive"

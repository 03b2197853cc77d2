"""Where published weights come from, and where they lie on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

UNKNOWN_LICENCE = "NOASSERTION"
"""SPDX's word for a licence that nobody stated."""

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")


@dataclass(frozen=True, slots=True)
class Source:
    """One published file: weights, as a rule.

    Attributes:
        url: http(s).
        file_name: in the cache.
        sha256_prefix: first hex digits of the file's SHA-256, when published; else empty.
        licence: SPDX identifier of the weights.
        otherwise: what a user without the file can do, in words.
        folder: where it goes; None is the cache of weights.
        kind: of file, for messages: `weights` or `photo`.
    """

    url: str
    file_name: str
    sha256_prefix: str = ""
    licence: str = UNKNOWN_LICENCE
    otherwise: str = (
        "use the default backbone tf_efficientnet_lite0, whose weights are installed with vision-cli[train]"
    )
    folder: Path | None = None
    kind: str = "weights"

    @classmethod
    def from_url(cls, url: str, *, licence: str = UNKNOWN_LICENCE) -> Source:
        """Name the file as its URL does; torch's convention puts eight hex digits of the SHA-256 before the suffix."""
        name = url.rpartition("/")[2]
        found = _HASH_IN_NAME.search(name)
        return cls(url, name, found.group(1) if found else "", licence)

    @property
    def path(self) -> Path:
        """Where the file lies once it is on this machine."""
        return (self.folder or cache_folder()) / self.file_name

    @property
    def subject(self) -> str:
        """Begin a sentence on it."""
        return f"the {self.kind} '{self.file_name}' {'are' if self.kind == 'weights' else 'is'}"


def cache_folder() -> Path:
    """Return the folder of downloaded weights: below VISION_CACHE, or the user's own cache."""
    return Path(os.environ.get("VISION_CACHE") or platformdirs.user_cache_dir("vision")) / "weights"

"""Backgrounds that are downloaded: a text file with the address of a photo a line, and its SHA-256 if that is known."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from vision_cli.core import download
from vision_cli.core.errors import DataError, MissingPartError, UsageError, VisionError
from vision_cli.core.files import read_limited, utf8
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.weights import Source
from vision_cli.formats.photos import PHOTO_SUFFIXES

FOLDER = Path(".vision") / "backgrounds"
"""Below the project; photos that are there are not downloaded again."""

_MAX_LIST_BYTES = 1 << 28
_AT_A_TIME = 8
_SHOWN = 10
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Consent:
    """What may be done to get photos.

    Attributes:
        download: the user said that they may be downloaded.
        offline: nothing may be.
    """

    download: bool
    offline: bool


def fetched(path: Path, folder: Path, consent: Consent, progress: Progress) -> tuple[str, ...]:
    """Return the names of a list's photos below a folder, downloaded where they are not there.

    Args:
        path: the list.
        folder: of the photos.
        consent: what may be done.
        progress: one step a photo.

    Raises:
        DataError: the list is none, or photos did not come.
        UsageError: photos are missing and nobody agreed to download them.
        MissingPartError: photos are missing, and downloads are off.
    """
    sources = _read(path, folder)
    missing = [source for source in sources if not source.path.is_file()]
    if missing:
        _check(path, missing, consent)
        _download(path, missing, progress)
    return tuple(sorted({source.file_name for source in sources}))


def _read(path: Path, folder: Path) -> list[Source]:
    content = read_limited(path, max_bytes=_MAX_LIST_BYTES, what="the list of backgrounds")
    sources, wrong = [], []
    for number, line in enumerate(utf8(content, where=str(path)).splitlines(), start=1):
        words = line.partition("#")[0].split() if not line.lstrip().startswith("http") else line.split()
        if not words:
            continue
        url, sha256 = words[0], words[1] if len(words) > 1 else ""
        good = urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname and len(words) <= 2
        if good and (not sha256 or _SHA256.fullmatch(sha256)):
            sources.append(_source(url, sha256.lower(), folder))
        else:
            wrong.append(f"line {number}: {line.strip()[:80]}")
    if wrong or not sources:
        raise DataError(
            f"{path}: {f'{len(wrong)} lines are' if wrong else 'holds'} no address of a photo.",
            details=wrong[:_SHOWN],
            hint="A line is `https://host/photo.jpg`, and after a space its SHA-256 if you know it.",
        )
    return sources


def _source(url: str, sha256: str, folder: Path) -> Source:
    """Name a photo by its address, so that the name stays when lines come and go."""
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix.lower()
    name = hashlib.sha256(url.encode()).hexdigest()[:16] + (suffix if suffix in PHOTO_SUFFIXES else ".jpg")
    return Source(url, name, sha256, otherwise="take its line out", folder=folder, kind="photo")


def _check(path: Path, missing: Iterable[Source], consent: Consent) -> None:
    """Refuse where nobody agreed.

    Raises:
        UsageError, MissingPartError: saying how many photos of which hosts are missing.
    """
    hosts = Counter(str(urlsplit(source.url).hostname) for source in missing)
    named = ", ".join(f"{host} ({number})" for host, number in hosts.most_common(_SHOWN))
    text = f"{path}: {hosts.total()} of its photos are not on this machine; they would come from {named}"
    if consent.offline:
        raise MissingPartError(f"{text}, and downloads are off.", hint="Leave --offline out, or name a folder.")
    if not consent.download:
        hint = "Say --download, without --dry-run, if you may use them: you know whose they are and under what licence."
        raise UsageError(f"{text}.", hint=hint)


def _download(path: Path, missing: list[Source], progress: Progress) -> None:
    """Download photos; those that came stay, whatever becomes of the others.

    Raises:
        DataError: naming those that did not come.
    """
    failed = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for number, fault in enumerate(pool.map(_one, missing), start=1):
            failed += [fault] if fault else []
            progress.step("downloaded", number, len(missing))
    if failed:
        raise DataError(
            f"{path}: {len(failed)} of {len(missing)} photos did not come.",
            details=failed[:_SHOWN],
            hint="Call the command again, or take their lines out; the others stay.",
        )


def _one(source: Source) -> str | None:
    """Download a photo, and return what went wrong."""
    try:
        download.fetch(source, offline=False, progress=Silent())
    except VisionError as error:
        return f"{source.url}: {error.message}"
    return None

"""Fetch a published weights file into the cache: whole, checked, or not at all."""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from vision_cli.core import files
from vision_cli.core.errors import DataError, MissingPartError, ResourceError, VisionError
from vision_cli.core.progress import Progress
from vision_cli.core.weights import Source

CONNECT_TIMEOUT_S = 5.0
_ATTEMPTS = 3
_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile("[0-9a-f]{64}")
_MAX_BYTES = 20_000_000_000
_PARTIAL = 206
# The status of a range that starts at the end of the file: what we have is the file, or is not it at all.
_RANGE_REFUSED = 416
_MAX_NOTE_BYTES = 10_000


def fetch(source: Source, *, offline: bool, progress: Progress) -> Path:
    """Return the cached file of a source, downloading it when it is not there.

    A download that was cut or killed goes on where it ended if the server says that the file is the same as then. The
    checksum of what came is kept beside the file, as `sha256sum` writes it.

    Raises:
        MissingPartError: not in the cache, and downloads are forbidden or the host does not answer.
        DataError: size or checksum is wrong.
        ResourceError: no room for it.
    """
    target = source.path
    if target.is_file():
        _verify(target, source, hint="Delete it, and it is downloaded again.")
        return target
    if offline:
        raise _put_it_there(source, "downloads are off (--offline or VISION_OFFLINE)")
    with files.disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if not target.is_file():
                _download(source, target, progress)
    return target


def _put_it_there(source: Source, why: str) -> MissingPartError:
    return MissingPartError(
        f"{source.subject} not on this machine, and {why}.",
        hint=f"Fetch {source.url} elsewhere and put it at {source.path} - or {source.otherwise}.",
    )


def checksum_file(path: Path) -> Path:
    """Return where the checksum of a downloaded file is kept."""
    return path.with_name(f"{path.name}.sha256")


def recorded(path: Path) -> str:
    """Return the SHA-256 that a file had when it came, or nothing where none is kept."""
    try:
        found = _SHA256.match(checksum_file(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    return found.group() if found else ""


def record(path: Path, sha256: str) -> None:
    """Keep a file's SHA-256 beside it."""
    files.write_text(checksum_file(path), f"{sha256}  {path.name}\n")


def _download(source: Source, target: Path, progress: Progress) -> None:
    partial = target.with_name(f".{target.name}.part")
    transfer = _Transfer(source, partial, progress)
    transfer.take_up()
    progress.say(f"downloading {source.url} to {target}")
    try:
        transfer.run()
        sha256 = _verify(partial, source, hint="Try again; a proxy may have changed it.", sha256=transfer.sha256)
    except (MissingPartError, ResourceError, KeyboardInterrupt):
        transfer.put_off()
        raise
    except BaseException:
        transfer.forget()
        raise
    os.replace(partial, target)
    transfer.forget()
    record(target, sha256)
    files.sync_folder(target.parent)


def _verify(path: Path, source: Source, *, hint: str, sha256: str = "") -> str:
    expected = sha256 or source.sha256_prefix
    found = files.file_sha256(path) if expected or path.suffix == ".part" else ""
    if not found.startswith(expected):
        raise DataError(f"{path}: the SHA-256 of '{source.file_name}' is not {expected}...", hint=hint)
    return found


class CheckedRedirect(urllib.request.HTTPRedirectHandler):
    """Follows redirects that pass a check."""

    def check(self, request: urllib.request.Request, headers: Any, target: str) -> None:
        """Raise what keeps a redirect from being followed.

        Args:
            request: what was asked for.
            headers: of the answer that redirects.
            target: the address it names.
        """
        raise NotImplementedError

    def redirect_request(  # noqa: PLR0913  the library's own signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to go on with."""
        self.check(req, headers, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _SafeRedirect(CheckedRedirect):
    """Follows redirects, but never from https down to http; notes the checksum that Hugging Face sends along."""

    def __init__(self) -> None:
        self.sha256 = ""

    def check(self, request: urllib.request.Request, headers: Any, target: str) -> None:
        """Refuse to leave https."""
        if request.full_url.startswith("https:") and not target.startswith("https:"):
            raise urllib.error.URLError(f"redirected from https to {target.partition(':')[0]}")
        etag = str(headers.get("X-Linked-Etag", "")).strip('"')
        if _SHA256.fullmatch(etag):
            self.sha256 = etag


@dataclass(slots=True)
class _Transfer:
    """One download, resumed after a cut connection where the server allows it.

    `validator` is what the server calls this state of the file: its ETag, or when it was changed. Only with one may
    another process go on with what is there.
    """

    source: Source
    partial: Path
    progress: Progress
    redirect: _SafeRedirect = field(default_factory=_SafeRedirect)
    validator: str = ""

    @property
    def note(self) -> Path:
        """Where it is kept of what file at which address the partial one is the beginning."""
        return self.partial.with_suffix(".from")

    def take_up(self) -> None:
        """Go on with what an earlier download of the same file left, and forget anything else."""
        try:
            said = json.loads(files.read_limited(self.note, max_bytes=_MAX_NOTE_BYTES, what="a note of a download"))
            same = said["url"] == self.source.url and self.partial.is_file()
            self.validator = str(said["validator"]) if same else ""
        except (OSError, ValueError, KeyError, TypeError, VisionError):
            self.validator = ""
        if not self.validator:
            self.forget()

    def put_off(self) -> None:
        """Leave what came for the next download, where that can be known to be of the same file."""
        if not self.validator:
            self.forget()

    def forget(self) -> None:
        """Remove what came."""
        self.partial.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """The checksum that the server stated, or nothing."""
        return self.redirect.sha256

    def run(self) -> None:
        """Write the whole file.

        Raises:
            MissingPartError: the host does not answer, says no, or cuts every attempt.
        """
        why = ""
        for _ in range(_ATTEMPTS):
            try:
                self._attempt()
                return
            except urllib.error.HTTPError as error:
                error.close()
                raise _put_it_there(self.source, f"the server answered {error.code} {error.reason}") from error
            except urllib.error.URLError as error:
                # Not reached at all: nothing that another attempt in the next second would change.
                raise _put_it_there(self.source, f"the network does not reach it ({error.reason})") from error
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                why = str(error) or type(error).__name__
        raise _put_it_there(self.source, f"the connection was cut {_ATTEMPTS} times ({why})")

    def _attempt(self) -> None:
        have = self.partial.stat().st_size if self.partial.exists() else 0
        with self._open(have) as response:
            resumed = response.status == _PARTIAL
            total = self._total(response, have if resumed else 0)
            if not resumed:
                self._remember(response)
            with self.partial.open("ab" if resumed else "wb") as file:
                self._copy(response, file, total)
                file.flush()
                os.fsync(file.fileno())

    def _remember(self, response: http.client.HTTPResponse) -> None:
        tag = str(response.headers.get("ETag", ""))
        weak = not tag or tag.startswith("W/")
        self.validator = str(response.headers.get("Last-Modified", "")) if weak else tag
        if self.validator:
            files.write_json(self.note, {"url": self.source.url, "validator": self.validator})
        else:
            self.note.unlink(missing_ok=True)

    def _open(self, have: int) -> http.client.HTTPResponse:
        url = self.source.url
        if not url.lower().startswith(("http://", "https://")):
            raise DataError(f"{url}: only http and https are fetched.")
        headers = {"User-Agent": "vision-cli", "Accept-Encoding": "identity"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  the scheme is checked above
        if have:
            request.add_header("Range", f"bytes={have}-")
            if self.validator:
                request.add_header("If-Range", self.validator)
        try:
            response: http.client.HTTPResponse = _opener(self.redirect).open(request, timeout=CONNECT_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            if error.code != _RANGE_REFUSED or not have:
                raise
            error.close()
            self.partial.unlink()
            return self._open(0)
        return response

    def _total(self, response: http.client.HTTPResponse, have: int) -> int:
        stated = response.headers.get("Content-Length", "")
        total = have + int(stated) if stated.isdecimal() else 0
        if total > _MAX_BYTES:
            raise DataError(f"{self.source.url}: {total / 1e9:.0f} GB; that is no weights file.")
        free_mb = files.free_mb(self.partial)
        if total / 1e6 > free_mb:
            raise ResourceError(
                f"{self.source.path}: needs {total / 1e6:.0f} MB, {free_mb:.0f} MB are free.",
                hint="Make room, or set VISION_CACHE to another folder.",
            )
        return total

    def _copy(self, response: http.client.HTTPResponse, file: IO[bytes], total: int) -> None:
        done = file.tell()
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            self.progress.step(f"download {self.source.file_name}", done, max(total, done))
            if done > _MAX_BYTES:
                raise DataError(f"{self.source.url}: has no end.")
        if done < total:
            raise http.client.IncompleteRead(b"", total - done)


def _opener(redirect: _SafeRedirect) -> urllib.request.OpenerDirector:
    """Return an opener for http and https only: no files, no FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        redirect,
    ):
        opener.add_handler(handler)
    opener.addheaders = []
    return opener

"""`vision data show --serve`: the page over HTTP, with thumbnails and photos made when they are asked for.

Photos are asked for by their row, so that no request holds a path. Who asks by another name than this machine's is
refused: a foreign page whose name was pointed at this address (DNS rebinding) reads nothing.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vision_cli.core.errors import DataError, ResourceError, VisionError
from vision_cli.core.files import read_limited
from vision_cli.imaging import read, write
from vision_cli.imaging.sniff import photo_format
from vision_cli.reports import browse_page
from vision_cli.reports.browse import Browse, Pages
from vision_cli.stages.named_source import find
from vision_cli.stages.showing import show, thumbs
from vision_cli.stages.showing.show import Shown, ShowRequest

LOOPBACK = "127.0.0.1"
_CACHE_BYTES = 64_000_000
_MAX_PHOTO_BYTES = 1 << 29
_IDLE_S = 30
_SHOWN_BY_BROWSERS = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "avif": "image/avif",
}
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, max-age=60",
}

Answer = tuple[str, bytes]
"""Media type and content."""


@dataclass(frozen=True, slots=True)
class Served:
    """A page that waits for visitors.

    Attributes:
        shown: what is on it, and its address.
    """

    shown: Shown
    _server: ThreadingHTTPServer

    def wait(self) -> None:
        """Answer until the process is interrupted."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._server.server_close()


def serve(request: ShowRequest, host: str = LOOPBACK, port: int = 0) -> Served:
    """Open the page on an address; `Served.wait` answers.

    Raises:
        DataError: data or predictions are refused, or there is no photo.
        ResourceError: the address cannot be had.
    """
    found = find(request.data)
    paths = found.dataset.paths()
    browse, kinds = show.browsed(request, found)
    browse = replace(browse, roots=dict.fromkeys(found.dataset.roots, "#row"))
    site = Site(browse, paths, request.side_px)
    try:
        server = _Server(host, port, site)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ResourceError(
            f"{host}:{port}: cannot be served: {reason}.", hint="Choose another --port; 0 is any."
        ) from error
    name = f"[{host}]" if ":" in host else host
    return Served(show.told(browse, kinds, found, page=f"http://{name}:{server.server_address[1]}/"), server)


class Site:
    """What can be asked for, by its path."""

    def __init__(self, browse: Browse, photos: list[Path], side_px: int) -> None:
        self._index = browse_page.index(browse.title)
        self._pages = Pages(browse)
        self._photos, self._side_px = photos, side_px
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()
        self._cores = threading.BoundedSemaphore(os.cpu_count() or 1)

    def answer(self, path: str) -> Answer | None:
        """Return what a path asks for; None for what there is not.

        Raises:
            DataError: a photo cannot be read.
        """
        match path.split("/")[1:]:
            case [""] | ["index.html"]:
                return "text/html; charset=utf-8", self._index
            case ["data", name]:
                content = self._pages.content(name)
                return None if content is None else ("text/javascript; charset=utf-8", content)
            case ["thumbs", name] if name.endswith(".jpg") and (row := self._row(name[:-4])) is not None:
                return "image/jpeg", self._thumb(row)
            case ["photos", name] if (row := self._row(name)) is not None:
                return self._photo(row)
        return None

    def _row(self, text: str) -> int | None:
        if not (text.isascii() and text.isdecimal() and len(text) <= 9):
            return None
        return int(text) if int(text) < len(self._photos) else None

    def _thumb(self, row: int) -> bytes:
        with self._lock:
            if row in self._cache:
                self._cache.move_to_end(row)
                return self._cache[row]
        with self._cores:
            content = thumbs.small(self._photos[row], self._side_px)
        with self._lock:
            if row not in self._cache:
                self._cache[row] = content
                self._cached_bytes += len(content)
            while self._cached_bytes > _CACHE_BYTES:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        return content

    def _photo(self, row: int) -> Answer:
        path = self._photos[row]
        content = read_limited(path, max_bytes=_MAX_PHOTO_BYTES, what="the photo")
        kind = _SHOWN_BY_BROWSERS.get(photo_format(content[:64]) or "")
        if kind is not None:
            return kind, content
        with self._cores:
            return "image/jpeg", write.encode_jpeg(read.read_photo(content, name=str(path)))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, site: Site) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.site, self.host = site, host
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of visitors that leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "vision", ""
    timeout = _IDLE_S
    server: _Server

    def do_GET(self) -> None:
        """Answer with a page, a data file, a thumbnail or a photo."""
        self._reply(body=True)

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self._reply(body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a number and a word; nothing of the request is repeated."""
        code = 405 if code == 501 else code  # the library's word for a method without a handler
        self._send(code, "text/plain; charset=utf-8", f"{code}\n".encode(), close=True)

    def _reply(self, *, body: bool) -> None:
        if not is_own(self.headers.get("Host"), self.server.host):
            self.send_error(421)
            return
        try:
            found = self.server.site.answer(self.path.partition("?")[0])
        except VisionError as error:
            self.send_error(404 if isinstance(error, DataError) else 503)
            return
        if found is None:
            self.send_error(404)
            return
        self._send(200, found[0], found[1], body=body)

    def _send(self, code: int, kind: str, content: bytes, *, body: bool = True, close: bool = False) -> None:
        self.send_response(code)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), **_SAFE}
        if kind.startswith("text/html"):
            headers["Content-Security-Policy"] = f"{browse_page.policy()}; frame-ancestors 'none'"
        if code == 405:
            headers["Allow"] = "GET, HEAD"
        if close:
            headers["Connection"] = "close"
            self.close_connection = True
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


def is_own(header: str | None, host: str) -> bool:
    """Tell whether a Host header names this machine by address, as localhost, or as it was told to be called.

    A name can be pointed at any address by whoever owns it; an address cannot.
    """
    if not header:
        return False
    name = header.rpartition(":")[0] if header.rpartition(":")[2].isdecimal() and not header.endswith("]") else header
    name = name.removeprefix("[").removesuffix("]").lower()
    if name in ("localhost", host.lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

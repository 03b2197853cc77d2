"""The one download function, against a real server on this machine."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vision_cli.core import download
from vision_cli.core.errors import DataError, MissingPartError, ResourceError
from vision_cli.core.weights import Source

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Behaviour:
    """What the server does wrong, and what it was asked."""

    cut_after: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    length: int | None = None
    etag: str = ""
    redirect_to: str = ""
    file_etag: str = ""
    asked: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        does = self.behaviour
        if does.redirect_to and self.path != "/real":
            self.send_response(302)
            self.send_header("Location", does.redirect_to)
            if does.etag:
                self.send_header("X-Linked-Etag", f'"{does.etag}"')
            self.end_headers()
            return
        asked = self.headers.get("Range")
        does.asked.append(asked)
        if does.status != 200:
            self.send_error(does.status)
            return
        same = self.headers.get("If-Range") in (None, does.file_etag)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and does.ranges and same else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(does.length or len(body)))
        if does.file_etag:
            self.send_header("ETag", does.file_etag)
        self.end_headers()
        self.wfile.write(body[: does.cut_after.pop(0)] if does.cut_after else body)


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    behaviour = Behaviour()
    handler = type("Bound", (Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", behaviour
        running.shutdown()
        thread.join()


def fetch(url: str, heard: Any, *, sha256_prefix: str = SHA256[:8], offline: bool = False) -> Path:
    return download.fetch(Source(url, "w.bin", sha256_prefix), offline=offline, progress=heard)


def assert_nothing_left(cache: Path) -> None:
    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == []


def test_a_good_file_arrives_whole_with_progress(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    path = fetch(f"{server[0]}/w.bin", heard)
    assert path == cache / "w.bin"
    assert path.read_bytes() == CONTENT
    assert heard.steps[-1] == ("download w.bin", len(CONTENT), len(CONTENT))
    assert len(heard.steps) > 2
    assert "/w.bin" in heard.said[0]


def test_a_second_fetch_asks_nobody(server: tuple[str, Behaviour], heard: Any) -> None:
    fetch(f"{server[0]}/w.bin", heard)
    fetch("http://127.0.0.1:9/w.bin", heard, offline=True)
    assert len(server[1].asked) == 1


def test_a_wrong_checksum_leaves_nothing(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    with pytest.raises(DataError, match="SHA-256"):
        fetch(f"{server[0]}/w.bin", heard, sha256_prefix="00000000")
    assert_nothing_left(cache)


def test_a_cut_connection_is_resumed_where_it_ended(server: tuple[str, Behaviour], heard: Any) -> None:
    server[1].cut_after = [3_000_000, 1_000_000]
    assert fetch(f"{server[0]}/w.bin", heard).read_bytes() == CONTENT
    assert server[1].asked == [None, "bytes=3000000-", "bytes=4000000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(server: tuple[str, Behaviour], heard: Any) -> None:
    server[1].cut_after, server[1].ranges = [3_000_000], False
    assert fetch(f"{server[0]}/w.bin", heard).read_bytes() == CONTENT


def test_a_connection_that_is_always_cut_ends(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    server[1].cut_after = [10] * 9
    with pytest.raises(MissingPartError, match="cut 3 times"):
        fetch(f"{server[0]}/w.bin", heard)
    assert_nothing_left(cache)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told_at_once(status: int, server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    server[1].status = status
    with pytest.raises(MissingPartError, match=f"answered {status}") as caught:
        fetch(f"{server[0]}/w.bin", heard)
    assert len(server[1].asked) == 1
    assert str(cache / "w.bin") in (caught.value.hint or "")
    assert_nothing_left(cache)


def test_nobody_there_is_an_immediate_error(cache: Path, heard: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(MissingPartError, match="network does not reach it") as caught:
        fetch(f"http://127.0.0.1:{port}/w.bin", heard)
    assert time.monotonic() - started < 2
    assert f"http://127.0.0.1:{port}/w.bin" in (caught.value.hint or "")
    assert_nothing_left(cache)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, cache: Path, heard: Any) -> None:
    monkeypatch.setattr(download, "CONNECT_TIMEOUT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(MissingPartError):
            fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/w.bin", heard)
    assert time.monotonic() - started < 2


def test_offline_asks_nobody(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    with pytest.raises(MissingPartError, match="downloads are off"):
        fetch(f"{server[0]}/w.bin", heard, offline=True)
    assert server[1].asked == []


def test_the_checksum_that_a_redirect_states_is_checked(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    server[1].redirect_to, server[1].etag = f"{server[0]}/real", "0" * 64
    with pytest.raises(DataError, match="SHA-256"):
        fetch(f"{server[0]}/w.bin", heard, sha256_prefix="")
    server[1].etag = SHA256
    assert fetch(f"{server[0]}/w.bin", heard, sha256_prefix="").read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/w.bin", "data:text/plain,hello"])
def test_other_schemes_are_refused_also_behind_a_redirect(
    url: str, server: tuple[str, Behaviour], cache: Path, heard: Any
) -> None:
    with pytest.raises(DataError, match="only http and https"):
        fetch(url, heard)
    server[1].redirect_to = url
    with pytest.raises(MissingPartError):
        fetch(f"{server[0]}/w.bin", heard)
    assert_nothing_left(cache)


def test_a_file_without_room_is_refused_before_it_is_fetched(
    server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch, cache: Path, heard: Any
) -> None:
    monkeypatch.setattr("vision_cli.core.files.free_mb", lambda path: 1.0)
    with pytest.raises(ResourceError, match="needs 5 MB, 1 MB are free"):
        fetch(f"{server[0]}/w.bin", heard)
    assert heard.steps == []


def test_an_absurd_length_is_refused(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    server[1].length = 10**12
    with pytest.raises(DataError, match="1000 GB"):
        fetch(f"{server[0]}/w.bin", heard)


def test_the_rest_of_a_killed_download_is_not_used(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    cache.mkdir(parents=True)
    (cache / ".w.bin.part").write_bytes(b"from another day")
    assert fetch(f"{server[0]}/w.bin", heard).read_bytes() == CONTENT
    assert server[1].asked == [None]


def test_two_at_once_download_once(server: tuple[str, Behaviour], heard: Any) -> None:
    threads = [threading.Thread(target=fetch, args=(f"{server[0]}/w.bin", heard)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server[1].asked) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.org/resnet18-f37072fd.pth", "f37072fd"),
        ("https://x.org/mnasnet0.5_top1_67.823-3ffadce67e.pth", "3ffadce67e"),
        ("https://x.org/plain.pth", ""),
        ("https://x.org/date-20240101x.pth", ""),
    ],
)
def test_the_checksum_in_a_name_is_found(url: str, expected: str) -> None:
    assert Source.from_url(url).sha256_prefix == expected


def test_every_torchvision_file_name_carries_a_checksum() -> None:
    import torchvision

    for name in torchvision.models.list_models(module=torchvision.models):
        url = torchvision.models.get_model_weights(name).DEFAULT.url
        assert len(Source.from_url(url).sha256_prefix) >= 8, url


def test_a_killed_download_goes_on_where_it_ended_if_the_file_is_the_same(
    server: tuple[str, Behaviour], cache: Path, heard: Any
) -> None:
    server[1].file_etag, server[1].cut_after = '"one"', [1_000_000, 10, 10]
    with pytest.raises(MissingPartError, match="cut 3 times"):
        fetch(f"{server[0]}/w.bin", heard)
    assert not (cache / "w.bin").exists()
    before = len(server[1].asked)
    assert fetch(f"{server[0]}/w.bin", heard).read_bytes() == CONTENT
    assert server[1].asked[before:] == ["bytes=1000020-"]
    assert [path.name for path in cache.iterdir() if not path.name.endswith((".lock", ".sha256"))] == ["w.bin"]


@pytest.mark.parametrize("change", ["the file", "the address", "no tag"])
def test_the_rest_of_another_file_is_not_used(
    change: str, server: tuple[str, Behaviour], cache: Path, heard: Any
) -> None:
    server[1].file_etag, server[1].cut_after = "" if change == "no tag" else '"one"', [1_000_000, 10, 10]
    with pytest.raises(MissingPartError):
        fetch(f"{server[0]}/w.bin", heard)
    if change == "the file":
        (cache / ".w.bin.part").write_bytes(b"x" * 1_000_000)
        server[1].file_etag = '"two"'
    path = "/else/w.bin" if change == "the address" else "/w.bin"
    before = len(server[1].asked)
    assert fetch(f"{server[0]}{path}", heard).read_bytes() == CONTENT
    assert server[1].asked[before:] == (["bytes=1000000-"] if change == "the file" else [None])


def test_a_rest_that_was_changed_is_found_by_the_checksum(
    server: tuple[str, Behaviour], cache: Path, heard: Any
) -> None:
    server[1].file_etag, server[1].cut_after = '"one"', [1_000_000, 10, 10]
    with pytest.raises(MissingPartError):
        fetch(f"{server[0]}/w.bin", heard)
    part = cache / ".w.bin.part"
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(DataError, match="SHA-256"):
        fetch(f"{server[0]}/w.bin", heard)
    assert_nothing_left(cache)
    assert fetch(f"{server[0]}/w.bin", heard).read_bytes() == CONTENT


def test_the_checksum_stays_beside_the_file(server: tuple[str, Behaviour], cache: Path, heard: Any) -> None:
    path = fetch(f"{server[0]}/w.bin", heard, sha256_prefix="")
    assert download.recorded(path) == SHA256
    assert (cache / "w.bin.sha256").read_text() == f"{SHA256}  w.bin\n"
    (cache / "w.bin.sha256").write_text("no checksum")
    assert download.recorded(path) == ""

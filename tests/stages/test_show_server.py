"""The page to browse photos, served."""

import http.client
import re
import threading
from pathlib import Path

import pytest
from PIL import Image
from show_sets import coco_set, request

from vision_cli.core.errors import ResourceError
from vision_cli.stages.showing import serving


@pytest.fixture
def coco(tmp_path):
    return coco_set(tmp_path)


@pytest.fixture
def served(coco):
    (coco / "secret.txt").write_text("secret")
    Image.new("RGB", (64, 48)).save(coco / "3.jpg", format="TIFF")
    found = serving.serve(request(coco / "labels.json", Path("show")))
    thread = threading.Thread(target=found.wait, daemon=True)
    thread.start()
    yield int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", found.shown.page)[1])
    found._server.shutdown()
    thread.join(5)


def ask(port, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_the_server_gives_the_page_and_its_parts(served):
    status, headers, body = ask(served, "/")
    assert (status, body[:15]) == (200, b"<!doctype html>")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b'"#row"' in ask(served, "/data/start.js")[2]
    for path in ("/thumbs/0.jpg", "/thumbs/0.jpg", "/photos/0", "/photos/2"):
        status, headers, body = ask(served, path)
        assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert ask(served, "/", "HEAD")[0::2] == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/photos/3",
            "/photos/-1",
            "/photos/1.0",
            "/photos/",
            "/photos/../secret.txt",
            "/secret.txt",
            "/../secret.txt",
        ),
        *("/thumbs/1", "/thumbs/9.jpg", "/thumbs/..%2f..%2fsecret.txt", "/data/start.js/..", "/data/labels-00.js"),
        *("/data/photos-99.js", "/data/photos--1.js", "/photos/99999999999999999999", "/photos/%00", "/index.htm"),
    ],
)
def test_the_server_has_nothing_else(served, path):
    status, _, body = ask(served, path)
    assert status == 404
    assert b"secret" not in body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.evil.example", "a]b"]
)
def test_who_asks_by_a_foreign_name_is_refused(served, host):
    status, _, body = ask(served, "/data/start.js", host=host)
    assert status in (400, 421)
    assert b"car" not in body


def test_this_machine_has_several_names(served):
    for host in (f"localhost:{served}", "127.0.0.1", f"[::1]:{served}"):
        assert ask(served, "/", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT"])
def test_only_reading(served, method):
    status, headers, _ = ask(served, "/", method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


def test_a_photo_that_vanished(served, coco):
    (coco / "2.jpg").unlink()
    assert ask(served, "/photos/1")[0] == 404
    assert ask(served, "/thumbs/1.jpg")[0] == 404
    assert ask(served, "/thumbs/0.jpg")[0] == 200


def test_a_port_that_is_taken(coco, served):
    with pytest.raises(ResourceError, match="cannot be served"):
        serving.serve(request(coco / "labels.json", Path("show")), port=served)

"""What `vision synth` makes of its inputs: copies, look-alikes, downloads, objects that are parts; and its log."""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vision_cli.core import project
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.stages.synth.asking import wrong_tool
from vision_cli.stages.synth.making import records
from vision_cli.stages.synth.run import SynthRequest, make_photos

SETTINGS = ("synth.logos.image_size=160", "synth.logos.size_share=[0.2,0.5]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one logo and two photos."""
    (tmp_path / "logos").mkdir()
    (tmp_path / "photos").mkdir()
    _logo(tmp_path / "logos/kiwi.png", (20, 160, 40, 255))
    rng = np.random.default_rng(3)
    for name in ("a.png", "b.png"):
        noise = rng.normal(120, 6, (120, 160, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / name)
    return tmp_path


def _logo(path: Path, colour: tuple[int, int, int, int]) -> None:
    logo = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(logo).ellipse((5, 5, 50, 50), fill=colour)
    logo.save(path)


def _request(root: Path, **given) -> SynthRequest:
    loaded = project.load(None, SETTINGS, start=root)
    given = {"objects": str(root / "logos"), "backgrounds": str(root / "photos"), "count": 4, "workers": 1, **given}
    return SynthRequest(loaded, "logos", out=root / "run", **given)


def test_a_copy_of_a_background_is_left_out_and_told(root):
    shutil.copy(root / "photos/a.png", root / "photos/c.png")
    result = make_photos(_request(root, dry_run=True))
    assert any("1 of 3 backgrounds are copies" in note for note in result.notes)
    shutil.copy(root / "photos/a.png", root / "photos/b.png")  # same name as before, other content
    make_photos(_request(root, count=24))
    used = {json.loads(line)["background"] for line in (root / "run/photos.jsonl").read_text().splitlines()}
    assert used == {"a.png"}


def test_the_same_picture_in_two_classes_and_names_that_differ_in_case_are_told(root):
    _logo(root / "logos/lime.png", (20, 160, 40, 255))
    _logo(root / "logos/Plum.png", (120, 10, 90, 255))
    _logo(root / "logos/plum__dark.png", (90, 10, 60, 255))
    notes = " ".join(make_photos(_request(root, dry_run=True)).notes)
    assert "'kiwi' and 'lime' have the same picture" in notes
    assert "'Plum' and 'plum' differ in case only" in notes


@pytest.mark.parametrize("name", ["scratch", "Surface Cracks", "lung_nodules", "tumours", "rust-spot"])
def test_parts_of_a_surface_are_told_to_be_for_another_tool(name):
    (note,) = wrong_tool.note(["kiwi", name])
    assert f"'{name}'" in note
    assert "'kiwi'" not in note
    assert "vision task suggest" in note


@pytest.mark.parametrize("name", ["kiwi", "scarab", "crackers", "wearhouse", "molding", "btc", "stop sign"])
def test_things_are_no_parts(name):
    assert wrong_tool.note([name]) == ()


@pytest.fixture
def address(root: Path) -> Iterator[str]:
    """Serve the project's photos."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(root / "photos"), **kwargs)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_list_of_addresses_is_downloaded_once_and_only_with_consent(root, address):
    listed = root / "list.txt"
    sha256 = hashlib.sha256((root / "photos/b.png").read_bytes()).hexdigest()
    listed.write_text(f"# two photos\n{address}/a.png\n\n{address}/b.png {sha256}\n")
    with pytest.raises(UsageError, match=r"2 of its photos are not on this machine.* 127\.0\.0\.1 \(2\)"):
        make_photos(_request(root, backgrounds=str(listed)))
    with pytest.raises(MissingPartError, match="downloads are off"):
        make_photos(_request(root, backgrounds=str(listed), download=True, offline=True))
    with pytest.raises(UsageError, match="not on this machine"):
        make_photos(_request(root, backgrounds=str(listed), download=True, dry_run=True))
    assert not (root / ".vision/backgrounds").exists()
    first = make_photos(_request(root, backgrounds=str(listed), download=True))
    again = make_photos(_request(root, backgrounds=str(listed), offline=True))
    assert (first.made, again.kept, again.made) == (4, 4, 0)
    came = {path.read_bytes() for path in (root / ".vision/backgrounds").glob("*.png")}
    assert came == {path.read_bytes() for path in (root / "photos").iterdir()}


def test_what_does_not_come_is_named_and_the_rest_stays(root, address):
    listed = root / "list.txt"
    listed.write_text(f"{address}/a.png\n{address}/none.png\n{address}/b.png {'0' * 64}\n")
    with pytest.raises(DataError, match="2 of 3 photos did not come") as refused:
        make_photos(_request(root, backgrounds=str(listed), download=True))
    assert [line.partition(": ")[0] for line in refused.value.details] == [f"{address}/none.png", f"{address}/b.png"]
    assert len(list((root / ".vision/backgrounds").glob("*.png"))) == 1


@pytest.mark.parametrize("text", ["", "photos/a.png\n", "ftp://host/a.png\n", "https://host/a.png nohash\n"])
def test_a_file_that_is_no_list_is_refused(root, text):
    (root / "list.txt").write_text(text)
    with pytest.raises(DataError, match="no address of a photo"):
        make_photos(_request(root, backgrounds=str(root / "list.txt"), download=True))


def test_records_are_those_of_whole_photos_the_later_line_counts(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, size in ((0, 3), (1, 4), (2, 5), (7, 6)):
        (photos / f"{number:06d}.jpg").write_bytes(b"x" * size)
    rows = [(7, 6, "a"), (1, 99, "a"), (2, 5, "a"), (0, 3, "a"), (9, 1, "a")]
    one, two = tmp_path / "photos.jsonl", tmp_path / "photos-1-of-2.jsonl"
    one.write_text(
        "".join(json.dumps({"photo": n, "bytes": b, "tag": t}) + "\n" for n, b, t in rows) + '{"photo": 1, "by'
    )
    two.write_text('[1]\n{"photo": "1"}\n' + json.dumps({"photo": 2, "bytes": 5, "tag": "b"}) + "\n")
    found = records.read([one, two], photos)
    assert found.numbers == [0, 2, 7]
    assert [row["tag"] for row in found] == ["a", "b", "a"]
    assert (found[-1]["photo"], found[::2].numbers, found.of([2, 5]).numbers) == (7, [0, 7], [2])
    assert [json.loads(line) for line in found.lines()] == list(found)
    assert records.read([], photos).numbers == []

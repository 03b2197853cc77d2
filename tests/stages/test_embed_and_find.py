"""`vision embed` and `vision find`: files, archives, addresses, maps and neighbours."""

from __future__ import annotations

import shutil
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import stage_projects as projects
from embedding_made import clothes
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.reports import maps
from vision_cli.stages.embedding import flat_map, web

CLASSES = ("dress", "hat", "shoes")


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a folder of real photos a class, and a cache of its own."""
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    for path in clothes(shared_data, 6, CLASSES):
        place = tmp_path / "work" / "photos" / path.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place / path.name)
    return tmp_path / "work"


def vectors(path: Path) -> tuple[list[str], list[str], Any]:
    table = pq.read_table(path)
    assert table.column_names == ["path", "label", "vector"]
    return table["path"].to_pylist(), table["label"].to_pylist(), np.array(table["vector"].to_pylist(), np.float32)


def test_a_folder_and_its_archive_give_the_same_vectors(folder: Path) -> None:
    shutil.make_archive(str(folder / "shots"), "zip", folder / "photos")
    shutil.make_archive(str(folder / "shots"), "gztar", folder / "photos")
    called = projects.done(folder, "embed", "photos", "--to", "f.parquet", "--map", "map.html", "--json").document
    assert (called["photos"], called["computed"], called["runtime"], called["length"]) == (18, 18, "onnx", 1280)
    paths, labels, found = vectors(folder / "f.parquet")
    assert labels == [Path(path).parent.name for path in paths]
    page = (folder / "map.html").read_text()
    assert page.count("<circle") == 18 + len(CLASSES)
    assert all(name in page for name in CLASSES)
    for archive in ("shots.zip", "shots.tar.gz"):
        called = projects.done(folder, "embed", archive, "--to", "a.parquet", "--json").document
        assert called["computed"] == 0
        inside, named, same = vectors(folder / "a.parquet")
        order = np.argsort([path.removeprefix(f"{archive}/") for path in inside])
        expected = np.argsort([path.removeprefix("photos/") for path in paths])
        assert [inside[at] for at in order] == [f"{archive}/{Path(paths[at]).relative_to('photos')}" for at in expected]
        assert [named[at] for at in order] == [labels[at] for at in expected]
        assert np.array_equal(same[order], found[expected])


def test_neighbours_are_those_of_scikit_learn_and_mostly_of_the_class(folder: Path) -> None:
    projects.done(folder, "embed", "photos", "--to", "f.parquet")
    paths, labels, found = vectors(folder / "f.parquet")
    exact = NearestNeighbors(n_neighbors=4, metric="cosine").fit(found.astype(np.float64))
    same = []
    for row in (0, 7, 13):
        words = ("find", "--like", paths[row], "photos", "-n", "4", "--to", f"sheet{row}.png", "--json")
        called = projects.done(folder, *words).document
        distances, places = exact.kneighbors(found[row : row + 1].astype(np.float64))
        assert [each["path"] for each in called["neighbours"]] == [paths[at] for at in places[0]]
        assert [each["distance"] for each in called["neighbours"]] == pytest.approx(distances[0], abs=1e-6)
        same += [each["label"] == labels[row] for each in called["neighbours"][1:]]
        assert (folder / f"sheet{row}.png").stat().st_size > 10_000
    assert np.mean(same) > 0.6  # by chance a third


def test_broken_photos_are_named_and_the_others_answered(folder: Path) -> None:
    (folder / "photos" / "hat" / "broken.jpg").write_text("no photo")
    called = projects.call(folder, "embed", "photos", "--to", "f.parquet", "--json")
    assert called.code == 3
    assert [each["path"] for each in called.document["refused"]] == ["photos/hat/broken.jpg"]
    assert len(pq.read_table(folder / "f.parquet")) == 18


def test_a_project_keeps_vectors_and_its_report_shows_the_map(folder: Path) -> None:
    projects.done(folder, "init", "--data", "photos")
    called = projects.done(folder, "embed", "--json").document
    assert called["output"].endswith("embeddings.parquet")
    assert len(pq.read_table(folder / called["output"])) == 18
    assert list((folder / ".vision" / "embeddings").glob("*-onnx.bin"))
    sql = "SELECT count(*), min(len(embedding)) FROM embeddings JOIN images ON images.id = image_id"
    assert projects.done(folder, "data", "query", sql, "--json").document["rows"] == [[18, 1280]]
    report = projects.done(folder, "report", "--json").document
    assert "map" in report["sections"]
    assert "Map of the photos" in (folder / "report.html").read_text()
    with zipfile.ZipFile(folder / "evil.zip", "w") as archive:
        archive.writestr("../../out.jpg", b"x")
    refused = projects.call(folder, "embed", "evil.zip")
    assert (refused.code, "leads out" in refused.err) == (3, True)


@pytest.mark.parametrize(("words", "code", "said"), [
    (("embed", "photos"), 2, "--to"),
    (("embed", "nowhere", "--to", "v.parquet"), 2, "no view, folder, archive or photo"),
    (("embed", "photos", "--to", "v.csv"), 2, ".parquet"),
    (("embed", "photos", "--to", "v.parquet", "--model", "m", "--backbone", "b"), 2, "two networks"),
    (("embed", "http://example.org/a.jpg", "--to", "v.parquet", "--allow-host", "example.org"), 2, "only https"),
    (("embed", "https://example.org/a.jpg", "--to", "v.parquet"), 2, "--allow-host example.org"),
    (("embed", "https://example.org/a.jpg", "--to", "v.parquet", "--allow-host", "example.org", "--offline"), 5, "off"),
    (("find", "photos"), 2, "--like"),
    (("find", "photos", "--like", "gone.jpg"), 3, "gone.jpg"),
])  # fmt: skip
def test_what_is_wrong_is_said_before_the_work(folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    called = projects.call(folder, *words)
    assert (called.code, said in called.err) == (code, True), called.err


class _Answer:
    """What a server sends."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        """Close nothing."""

    def read(self, size: int) -> bytes:
        part, self.content = self.content[:size], self.content[size:]
        return part


def test_a_photo_of_a_named_host_is_fetched_and_held(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Opener:
        def open(self, request: Any, timeout: float) -> Any:
            asked.append(request.full_url)
            return _Answer(b"photo")

    monkeypatch.setattr(web, "_opener", lambda hosts: Opener())
    held = web.fetch("https://Example.org/cat.jpg", ["example.org"], offline=False)
    assert (held.name, held.content, asked) == (
        "https://Example.org/cat.jpg",
        b"photo",
        ["https://Example.org/cat.jpg"],
    )
    monkeypatch.setattr(web, "MAX_BYTES", 3)
    with pytest.raises(DataError, match="more than 3"):
        web.fetch("https://example.org/cat.jpg", ["example.org"], offline=False)


@pytest.mark.parametrize("target", ["https://evil.example/x.jpg", "http://example.org/x.jpg", "file:///etc/passwd"])
def test_redirects_stay_with_the_named_hosts(target: str) -> None:
    request = urllib.request.Request("https://example.org/a.jpg")
    handler = web._NamedHosts(["example.org"])
    with pytest.raises(UsageError):
        handler.redirect_request(request, None, 302, "", {}, target)  # type: ignore[arg-type]
    followed = handler.redirect_request(request, None, 302, "", {}, "https://example.org/b.jpg")  # type: ignore[arg-type]
    assert followed is not None


def test_a_host_that_does_not_answer_is_told() -> None:
    with pytest.raises(MissingPartError, match="cannot be fetched"):
        web.fetch("https://127.0.0.1:1/a.jpg", ["127.0.0.1"], offline=False)


@pytest.mark.parametrize("shape", [(40, 7), (12, 64), (2, 5)])
def test_principal_components_are_scikit_learns(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found, share = flat_map.principal(rows, 2)
    theirs = PCA(2, svd_solver="full").fit(rows.astype(np.float64))
    kept = 1 if shape[0] == 2 else 2  # of two photos the second component is nothing
    assert np.abs(found)[:, :kept] == pytest.approx(
        np.abs(theirs.transform(rows.astype(np.float64)))[:, :kept], abs=1e-6
    )
    assert share[:kept] == pytest.approx(theirs.explained_variance_ratio_[:kept], abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_map_of_few_photos_is_made_of_components(count: int) -> None:
    found = flat_map.flat_map(np.random.default_rng(0).normal(size=(count, 16)).astype(np.float32))
    assert (found.how, found.places.shape) == ("PCA", (count, 2))
    assert np.isfinite(found.places).all()


def test_labels_of_a_map_are_escaped_and_the_rarest_are_grey() -> None:
    points = [(float(at), 0.0, f"<b>{at % 12}", f"{at}.jpg") for at in range(40)] + [(0.0, 1.0, None, "&.jpg")]
    page = maps.render("<script>", maps.Map("n", "l", "onnx", "PCA", "note.", 100, points))
    assert "<script" not in page
    assert "<b>1" not in page
    assert "41 photos of 100" in page
    assert "others" in page

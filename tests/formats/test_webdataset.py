"""WebDataset: tars by Python's tarfile in, tars that tarfile reads out, and archives that would do harm refused."""

from __future__ import annotations

import errno
import gzip
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_sets
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.formats import ReadOptions, WriteOptions, imagefolder, tar_members, webdataset
from vision_cli.formats.unpacked import cache_folder
from vision_cli.formats.webdataset.writing import tar_member

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VISION_CACHE", str(folder))
    return folder


def jpeg(size: tuple[int, int] = (8, 6), kind: str = "JPEG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (1, 200, 3)).save(content, kind)
    return content.getvalue()


def tar(path: Path, members: list[tuple[str, bytes]], mode: str = "w", **options: Any) -> Path:
    """Write an archive with Python's own tarfile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode, **options) as file:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def read(path: Path) -> Dataset:
    return webdataset.read(path, ReadOptions("w"))


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    return "\n".join([caught.value.message, *caught.value.details])


def labels(dataset: Dataset) -> list[tuple[int, str | None]]:
    names = dataset.classes.names
    rows = dataset.annotations.to_pylist()
    return [(row["image_id"], None if row["class_id"] is None else names[row["class_id"]]) for row in rows]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_classes_by_number_and_name_in_every_kind_of_tar(form: int, tmp_path: Path) -> None:
    long = "folder/" * 20 + "bär"
    if form == tarfile.USTAR_FORMAT:
        long = "folder/" * 12 + "b" * 60
    members = [("a.jpg", jpeg()), ("a.cls", b"1\n"), (f"./{long}.JPEG", jpeg((5, 4))), (f"{long}.cls", b"dog")]
    tar(tmp_path / "x-train-0.tar", members, format=form)
    tar(tmp_path / "val/0.tar.gz", [("b.png", jpeg(kind="PNG")), ("b.txt", "née".encode())], "w:gz", format=form)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    dataset = read(tmp_path)
    assert labels(dataset) == [(1, "dog"), (2, "dog")]
    images = dataset.images.to_pylist()
    assert [(i["path"], i["width"], i["height"], i["split"], i["txt"]) for i in images] == [
        ("val/0.tar.gz/b.png", 8, 6, "val", "née"),
        ("x-train-0.tar/a.jpg", 8, 6, "train", None),
        (f"x-train-0.tar/{long}.JPEG", 5, 4, "train", None),
    ]
    assert dataset.paths()[1].read_bytes() == jpeg()
    assert dataset.paths()[0].read_bytes() == jpeg(kind="PNG")
    assert dataset.origins["w"].class_ids == {"cat": 0, "dog": 1}


@pytest.mark.parametrize(
    "record",
    [
        {"annotations": [{"bbox": [1, 2, 3.5, 4], "category_id": 1, "id": 9, "area": 2, "color": "red"}]},
        {"objects": {"bbox": [[1, 2, 3.5, 4]], "categories": ["dog"], "id": [9], "area": [2], "color": ["red"]}},
        {"objects": [{"bbox": [1, 2, 3.5, 4], "label": "dog", "id": "9", "area": 2.0, "attributes": {"color": "red"}}]},
    ],
)
def test_boxes_in_every_usual_record(record: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\r\ndog\r\n")
    content = json.dumps({"width": 30, "height": 20, "caption": "x", "__key__": "a", **record}).encode()
    dataset = read(tar(tmp_path / "0.tar", [("a.json", content), ("a.jpg", jpeg())]))
    row = dataset.annotations.to_pylist()[0]
    assert [row[name] for name in ("class_id", "x", "y", "w", "h", "source_id", "area", "attributes")] == [
        *(1, 1, 2, 3.5, 4, "9", 2, '{"color":"red"}')
    ]
    image = dataset.images.to_pylist()[0]
    assert (image["width"], image["height"], image["caption"]) == (30, 20, "x")
    assert "__key__" not in image


def test_the_label_of_a_record_stands_before_a_cls(tmp_path: Path) -> None:
    members = [("a.jpg", jpeg()), ("a.cls", b"7"), ("a.json", b'{"label": "cat"}'), ("a.npy", b"x"), ("b.cls", b"1")]
    dataset = read(tar(tmp_path / "0.tar", members))
    assert labels(dataset) == [(0, "cat")]
    assert dataset.notes == (
        "1 members are left out: .cls beside the labels of a .json.",
        "1 members are left out: .npy.",
        "1 members are left out: labels of samples without a photo.",
    )


@SETTINGS
@given(dataset=made_sets.datasets(named=False))
def test_what_is_written_is_read(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("w")
    dataset = made_sets.with_photos(dataset, folder / "photos")
    (folder / "out").mkdir()
    written = webdataset.write(dataset, folder / "out", WriteOptions())
    assert written.photos == [None] * len(dataset)
    back = read(folder / "out")
    assert made_sets.values(back) == made_sets.values(dataset)
    assert back.classes == dataset.classes
    for path, original in zip(back.paths(), sorted(dataset.paths(), key=lambda p: _order(dataset, p)), strict=True):
        assert path.read_bytes() == original.read_bytes()


def _order(dataset: Dataset, path: Path) -> tuple[str, str]:
    row = dataset.paths().index(path)
    split = dataset.images["split"].to_pylist()[row] or "data"
    return split, path.name


def test_bare_labels_are_cls_files_that_tarfile_reads(tmp_path: Path, shared_data: Path) -> None:
    dataset = imagefolder.read(shared_data / "clothing_small", ReadOptions("s"))
    webdataset.write(dataset, tmp_path, WriteOptions())
    splits = dataset.images["split"].to_pylist()
    for split in ("train", "val", "test"):
        with tarfile.open(tmp_path / f"{split}-000000.tar") as file:
            names = file.getnames()
            assert len(names) == 2 * splits.count(split)
            photo, label = file.extractfile(names[0]), file.extractfile(names[1])
            assert photo is not None
            assert label is not None
            row = [path.name for path in dataset.paths()].index(names[0])
            assert photo.read() == dataset.paths()[row].read_bytes()
            assert int(label.read()) == dataset.class_ids()[row]
    back = read(tmp_path)
    assert (len(back), back.classes) == (640, dataset.classes)
    assert sorted(back.images["split"].to_pylist()) == sorted(splits)
    assert back.images["width"].to_pylist() != [None] * 640


def test_names_that_no_line_or_header_holds(tmp_path: Path) -> None:
    names = tuple(made_sets.NAMES)
    rows = [{"image_id": number, "class_id": number} for number in range(len(names))]
    images = [{"id": n, "source": "s", "path": f"{n}/<ü>{n}.x.jpg", "width": 5, "height": 4} for n in range(len(names))]
    images[3]["path"] = "y" * 120 + "/" + "ß" * 110 + ".jpg"
    dataset = made_sets.with_photos(made_sets.dataset_of(images, rows, names, {}), tmp_path / "photos")
    (tmp_path / "out").mkdir()
    webdataset.write(dataset, tmp_path / "out", WriteOptions())
    assert (tmp_path / "out/classes.json").is_file()
    back = read(tmp_path / "out")
    assert [name for _, name in labels(back)] == list(names)
    with tarfile.open(tmp_path / "out/data-000000.tar") as file:
        assert file.getnames()[:2] == ["<ü>0_x.jpg", "<ü>0_x.cls"]
        assert file.getnames()[6] == "00000003.jpg"


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [{"image_id": 0, "class_id": 0, "x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0}]
    images = [{"id": 0, "source": "s", "path": "p.jpg", "width": 5, "height": 4}]
    dataset = made_sets.with_photos(made_sets.dataset_of(images, rows, ("a",), {}), tmp_path / "photos")
    for name, workers in (("one", 1), ("two", 8)):
        (tmp_path / name).mkdir()
        webdataset.write(dataset, tmp_path / name, WriteOptions(workers=workers))
    assert (tmp_path / "one/data-000000.tar").read_bytes() == (tmp_path / "two/data-000000.tar").read_bytes()


def test_photos_that_are_not_there_are_a_loss(tmp_path: Path) -> None:
    images = [{"id": n, "source": "s", "path": f"{n}.jpg", "width": 5, "height": 4} for n in range(2)]
    dataset = made_sets.with_photos(made_sets.dataset_of(images, [], ("a",), {}), tmp_path)
    assert webdataset.losses(dataset) == []
    (tmp_path / "1.jpg").unlink()
    (loss,) = webdataset.losses(dataset)
    assert (loss.name, loss.kind, loss.rows.tolist()) == ("no-image", "image", [False, True])


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (special("a.jpg", tarfile.SYMTYPE, "/etc/passwd"), "member 2 at byte"),
        (special("a.jpg", tarfile.SYMTYPE, "/etc/passwd"), "is a symbolic link"),
        (special("a.jpg", tarfile.LNKTYPE, "b.jpg"), "is a hard link"),
        (special("a.jpg", tarfile.CHRTYPE), "is a character device"),
        (special("a.jpg", tarfile.BLKTYPE), "is a block device"),
        (special("a.jpg", tarfile.FIFOTYPE), "is a pipe"),
        (special("a.jpg", tarfile.GNUTYPE_SPARSE), "is a sparse file"),
        (special("a.jpg", b"Z"), "of the unknown kind b'Z'"),
        (special("../a.jpg", tarfile.REGTYPE), "leads out of the archive"),
        (special("x/../../a.jpg", tarfile.REGTYPE), "leads out of the archive"),
        (special("/etc/a.jpg", tarfile.REGTYPE), "leads out of the archive"),
        (special("x" * 300 + ".jpg", tarfile.REGTYPE), "more than a file's name may have"),
    ],
)
def test_members_that_would_do_harm_are_refused(
    info: tarfile.TarInfo, expected: str, tmp_path: Path, cache: Path
) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as file:
        good = tarfile.TarInfo("good.jpg")
        good.size = len(jpeg())
        file.addfile(good, io.BytesIO(jpeg()))
        file.addfile(info)
    told = refusal(tmp_path / "0.tar")
    assert expected in told
    assert "0.tar" in told
    assert list(cache.rglob("*.jpg")) == []


def test_pax_headers_are_no_way_around(tmp_path: Path) -> None:
    def member(path: str, **headers: str) -> bytes:
        info = tarfile.TarInfo("a.jpg")
        info.pax_headers = {"path": path, **headers}
        return info.tobuf(tarfile.PAX_FORMAT)

    for content, expected in (
        (member("../x.jpg"), "leads out of the archive"),
        (member("x.jpg", **{"GNU.sparse.major": "1"}), "a sparse file"),
        (member("x.jpg", size="99999999999999"), "cut inside of"),
        (member("x.jpg", size="-5"), "a size of b'-5'"),
    ):
        (tmp_path / "0.tar").write_bytes(content + bytes(1024))
        assert expected in refusal(tmp_path / "0.tar")


def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, cache: Path) -> None:
    whole = tar(tmp_path / "0.tar", [("a.jpg", jpeg()), ("a.cls", b"1"), ("b.jpg", jpeg()), ("b.cls", b"1")])
    content = whole.read_bytes().rstrip(b"\0")
    for size in (*range(0, len(content), 331), len(content)):
        whole.write_bytes(content[:size])
        assert "cut" in refusal(whole), size
    packed = gzip.compress(content + bytes(2048))
    whole.rename(tmp_path / "0.tar.gz").write_bytes(packed[: len(packed) // 2])
    assert "the gzip data is cut" in refusal(tmp_path / "0.tar.gz")
    (tmp_path / "0.tar.gz").write_bytes(packed[:30] + b"\xff\xff\xff" + packed[33:])
    assert "0.tar.gz" in refusal(tmp_path / "0.tar.gz")
    assert list(cache.rglob("*.jpg")) == []


def test_a_bomb_is_refused_while_it_unfolds(tmp_path: Path) -> None:
    path = tmp_path / "0.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(tar_member("a.jpg", jpeg()))
        info = tarfile.TarInfo("zero.npy")
        info.size = 300_000_000
        file.write(info.tobuf())
        for _ in range(300):
            file.write(bytes(1_000_000))
    assert path.stat().st_size < 400_000
    assert "it unfolds to more than" in refusal(path)


def test_a_million_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tar_members.MAX_MEMBERS == 500_000
    monkeypatch.setattr(tar_members, "MAX_MEMBERS", 5_000)
    path = tmp_path / "0.tar"
    path.write_bytes(tar_member("a.x", b"") * 5_001)
    assert "it has more than 5,000 members" in refusal(path)


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    for content, expected in ((b"x" * 2000, "no tar header at byte 0"), (b"", "cut at byte 0"), (b"PK\3\4", "cut")):
        (tmp_path / "0.tar").write_bytes(content)
        assert expected in refusal(tmp_path / "0.tar")
        assert webdataset.detect(tmp_path) is None
    (tmp_path / "0.tar").write_bytes(bytes(1024))
    assert "there is no photo in it" in refusal(tmp_path / "0.tar")
    (tmp_path / "0.tar").unlink()
    assert "there is no .tar" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([("a.json", b"{")], "0.tar: a: no JSON at character 1"),
        ([("a.json", b'{"label": 1, "label": 2}')], "the key 'label' is repeated"),
        ([("a.json", b"[" * 100_000)], "nested too deeply"),
        ([("a.json", b"[]")], "the record is no JSON object"),
        ([("a.json", b'{"label": 5.5}')], "5.5 is no class name or class id"),
        ([("a.json", b'{"objects": {"bbox": [[1, 2, 3]]}}')], "has not four numbers"),
        ([("a.json", b'{"objects": {"bbox": [[1, 2, 3, 1e999]]}}')], "is no finite number"),
        ([("a.json", b'{"objects": {"bbox": [[1, 2, -3, 4]]}}')], "negative width or height"),
        ([("a.json", b'{"objects": {"bbox": [], "area": [1]}}')], "the lists differ in length"),
        ([("a.json", b'{"objects": [{"segmentation": [[1, 2, 3]]}]}')], "a, object 1: the outline"),
        ([("a.json", b'{"objects": [{"segmentation": {"size": [100000, 100000], "counts": ""}}]}')], "the outline"),
        ([("a.json", b'{"width": -5, "height": 4}')], "width and height are [-5, 4]"),
        ([("a.cls", b"9")], "class id 9 has no name; there are 2 names"),
        ([("a.cls", b"\xff")], "can't decode"),
        ([("a.png", jpeg())], "'a.jpg' is the photo of this sample already"),
        ([("a.cls", b"0"), ("a.cls", b"1")], "this sample has a .cls already"),
        ([("b.jpg", b"")], "0 bytes"),
        ([("b.jpg", b"no photo")], "b.jpg"),
    ],
)
def test_wrong_samples_are_refused_with_their_names(
    members: list[tuple[str, bytes]], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    told = refusal(tar(tmp_path / "0.tar", [("a.jpg", jpeg()), *members]))
    assert expected in told


def test_unchanged_archives_are_unpacked_once_and_changed_ones_again(tmp_path: Path, cache: Path) -> None:
    path = tar(tmp_path / "0.tar", [("a.jpg", jpeg())])
    first = read(path).paths()[0]
    assert first.is_relative_to(cache_folder())
    stamp = first.stat().st_mtime_ns
    assert read(path).paths()[0].stat().st_mtime_ns == stamp
    first.unlink()
    assert read(path).paths()[0].read_bytes() == jpeg()
    tar(path, [("a.jpg", jpeg((9, 9)))])
    second = read(path).paths()[0]
    assert second != first
    assert second.read_bytes() == jpeg((9, 9))
    assert [entry.name for entry in cache_folder().iterdir() if entry.name.startswith(".")] == []


def test_a_photo_that_is_a_folder_too_is_refused(tmp_path: Path, cache: Path) -> None:
    members = [("a.jpg", jpeg()), ("a.jpg/b.jpg", jpeg())]
    assert "'0.tar/a.jpg' is a photo and a folder at once" in refusal(tar(tmp_path / "0.tar", members))
    assert list(cache.rglob("*")) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tar(tmp_path / "0.tar", [("a.jpg", jpeg()), ("b.jpg", jpeg())])

    def full(folder: Path) -> Any:
        def put(name: str, content: bytes) -> None:
            (folder / "half").write_bytes(content)
            raise OSError(errno.ENOSPC, "No space left on device")

        return put

    monkeypatch.setattr("vision_cli.formats.unpacked._writer", full)
    with pytest.raises(ResourceError, match="No space left"):
        read(path)
    assert [entry for entry in cache.rglob("*") if entry.name != "unpacked"] == []


def test_a_full_disk_is_said_before_anything_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar(tmp_path / "0.tar", [("a.jpg", jpeg())])
    monkeypatch.setattr("vision_cli.formats.unpacked.free_mb", lambda _: 1.0)
    with pytest.raises(ResourceError, match="are to be unpacked"):
        read(path)


def test_shards_are_detected_by_their_first_member(tmp_path: Path) -> None:
    tar(tmp_path / "train/00.tar", [("n01/x.jpg", jpeg())])
    assert webdataset.detect(tmp_path) == "1 tar archives such as train/00.tar with samples such as n01/x (.jpg)"
    assert webdataset.detect(tmp_path / "train/00.tar") is not None


def test_photos_of_unknown_size_may_stay_so(tmp_path: Path) -> None:
    path = tar(tmp_path / "0.tar", [("a.jpg", b"not looked at")])
    dataset = webdataset.read(path, replace(ReadOptions("w"), sizes=False))
    assert dataset.images["width"].to_pylist() == [None]

"""Photos inside of archives, and archives that mean harm."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli.core.errors import DataError
from vision_cli.formats import archives


def jpeg(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


GOOD = {
    "a/one.jpg": jpeg(1),
    "b/two.JPG": jpeg(2),
    "b/notes.txt": b"no photo",
    "__MACOSX/._one.jpg": b"x",
    ".c.png": b"",
}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_photos_come_in_order_with_their_bytes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"photos.{kind}"
    if kind == "zip":
        zipped(path, GOOD)
    else:
        tarred(path, GOOD, "w:gz" if kind.endswith("gz") else "w")
    assert archives.kind_of(path) == kind[:3]
    assert archives.names(path) == ["a/one.jpg", "b/two.JPG"]
    assert dict(archives.photos(path)) == {name: GOOD[name] for name in ("a/one.jpg", "b/two.JPG")}
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name]


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/out.jpg", "a/../../out.jpg", "C:/out.jpg", "a\\..\\out.jpg"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr("good.jpg", jpeg())
        archive.writestr(info, jpeg())
    with pytest.raises(DataError, match="leads out"):
        archives.names(path)
    with pytest.raises(DataError, match="leads out"):
        list(archives.photos(path))


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/out.jpg", "a/../../out.jpg"])
def test_names_of_a_tar_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out"):
        archives.names(tarred(tmp_path / "evil.tar", {"good.jpg": jpeg(), name: jpeg()}))


def test_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        archives.names(path)
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        member = tarfile.TarInfo("link.jpg")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(DataError, match="symbolic link"):
        archives.names(tmp_path / "link.tar")


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    zeros = bytes(40 << 20)
    bomb = zipped(tmp_path / "bomb.zip", {"zeros.jpg": zeros})
    assert bomb.stat().st_size < 100_000
    with pytest.raises(DataError, match="unfolds to more"):
        archives.names(bomb)
    with pytest.raises(DataError, match="unfolds to more"):
        archives.names(tarred(tmp_path / "bomb.tar.gz", {"zeros.jpg": zeros}, "w:gz"))


def test_a_member_that_announces_less_than_it_has_is_refused(tmp_path: Path) -> None:
    content = jpeg()
    path = zipped(tmp_path / "liar.zip", {"one.jpg": content}, zipfile.ZIP_STORED)
    broken = path.read_bytes().replace(len(content).to_bytes(4, "little"), (len(content) - 7).to_bytes(4, "little"))
    path.write_bytes(broken)
    with pytest.raises(DataError):
        list(archives.photos(path))


def test_damage_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "damaged.zip", {"one.jpg": jpeg()}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"one\.jpg"):
        list(archives.photos(path))
    path.write_bytes(content[:-30])
    with pytest.raises(DataError, match="no whole zip"):
        archives.names(path)
    cut = tarred(tmp_path / "cut.tar", {"one.jpg": jpeg()})
    cut.write_bytes(cut.read_bytes()[:700])
    with pytest.raises(DataError, match="cut"):
        archives.names(cut)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "secret.zip", {"one.jpg": jpeg()})
    content = bytearray(path.read_bytes())
    local, central = content.find(b"PK\x03\x04"), content.find(b"PK\x01\x02")
    content[local + 6] |= 1
    content[central + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        archives.names(path)


def test_two_members_of_one_name_and_no_photo_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.jpg", jpeg(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("one.jpg", jpeg(2))
    with pytest.raises(DataError, match="two members"):
        archives.names(path)
    with pytest.raises(DataError, match="no photo"):
        archives.names(zipped(tmp_path / "none.zip", {"notes.txt": b"x"}))


def test_other_kinds_are_told_apart(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg())
    assert archives.kind_of(photo) is None
    with pytest.raises(DataError, match="bzip2"):
        archives.kind_of(tarred(tmp_path / "p.tar.bz2", {"one.jpg": jpeg()}, "w:bz2"))

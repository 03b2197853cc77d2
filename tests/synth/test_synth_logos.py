"""Logos as they come: modes, names, margins, and those of no use."""

from __future__ import annotations

from pathlib import Path

import drawn_scenes
import numpy as np
import pytest
from PIL import Image

from vision_cli.core.errors import DataError
from vision_cli.synth import logos
from vision_cli.synth.logos import load, of_pixels, spread


def picture(alpha: int = 255) -> Image.Image:
    """Return a green square of 40 px in the middle of 64 px of nothing."""
    image = Image.new("RGBA", (64, 64), (255, 0, 255, 0))
    image.paste((0, 128, 0, alpha), (12, 12, 52, 52))
    return image


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_every_mode_with_alpha_is_trimmed_to_what_is_seen(tmp_path: Path, mode: str) -> None:
    image = picture()
    image = image.quantize(8) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "brand.png")
    (logo,) = load(tmp_path).logos
    assert logo.class_name == "brand"
    assert logo.rgba.shape == (40, 40, 4)
    assert (logo.rgba[..., 3] == 255).all()
    assert logo.fill == 1.0


def test_classes_come_of_folders_and_of_names(tmp_path: Path) -> None:
    for name in ("kiwi__light.png", "kiwi__dark.png", "plum.png", "pear/old/wide.png", "pear/new.png", ".cache/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture().save(tmp_path / name)
    book = load(tmp_path)
    found = [(logo.class_name, logo.variant) for logo in book.logos]
    assert found == [("kiwi", "dark"), ("kiwi", "light"), ("pear", "new"), ("pear", "old/wide"), ("plum", "")]
    assert book.classes == ("kiwi", "pear", "plum")
    assert [len(variants) for variants in book.variants] == [2, 2, 1]


def test_logos_of_no_use_are_refused_with_a_reason(tmp_path: Path) -> None:
    picture().save(tmp_path / "good.png")
    picture(alpha=0).save(tmp_path / "empty.png")
    picture().convert("RGB").save(tmp_path / "opaque.png")
    picture().convert("RGB").save(tmp_path / "photo.jpg")
    picture().resize((16, 16)).save(tmp_path / "tiny.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    book = load(tmp_path)
    assert [logo.class_name for logo in book.logos] == ["good"]
    reasons = dict(book.refused)
    assert sorted(reasons) == ["broken.png", "empty.png", "opaque.png", "photo.jpg", "tiny.png"]
    assert "empty" in reasons["empty.png"]
    assert "opaque" in reasons["opaque.png"]
    assert "transparency" in reasons["photo.jpg"]
    assert "12 x 12 pixels" in reasons["tiny.png"]
    assert str(tmp_path) not in reasons["broken.png"]


def test_a_folder_without_any_use_names_what_is_in_it(tmp_path: Path) -> None:
    picture(alpha=0).save(tmp_path / "empty.png")
    with pytest.raises(DataError, match="no logo can be used") as caught:
        load(tmp_path)
    assert caught.value.details == ("empty.png: it is empty: every pixel is transparent.",)
    with pytest.raises(DataError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_transparent_pixels_take_the_nearest_colour() -> None:
    rgba = np.zeros((9, 30, 4), np.uint8)
    rgba[:, :5] = (200, 0, 0, 255)
    rgba[:, 25:] = (0, 0, 200, 255)
    filled = spread(rgba)
    assert (filled[..., 3] == rgba[..., 3]).all()
    assert (filled[:, 5:14, :3] == (200, 0, 0)).all()
    assert (filled[:, 16:25, :3] == (0, 0, 200)).all()


def test_a_huge_logo_is_shrunk_and_a_mirrored_one_is_mirrored() -> None:
    rgba = np.zeros((400, 2000, 4), np.uint8)
    rgba[50:350, 100:900] = (200, 0, 0, 255)
    rgba[50:350, 900:1900] = (0, 0, 200, 255)
    logo = of_pixels(rgba, "wide")
    assert max(logo.rgba.shape[:2]) == logos.MOST_SIDE_PX
    assert logo.aspect == pytest.approx(1800 / 300, rel=0.01)
    assert logo.mirrored().rgba[10, 10, :3].tolist() == [0, 0, 200]
    assert logo.rgba[10, 10, :3].tolist() == [200, 0, 0]


@pytest.mark.skipif(not drawn_scenes.COINS.is_dir(), reason="shared data are not here")
def test_all_483_coins_can_be_read() -> None:
    book = load(drawn_scenes.COINS)
    assert len(book.logos) == 483
    assert book.refused == ()
    assert len(book.classes) == 483


class TestSvg:
    """Drawings; the library behind them is an extra."""

    SQUARE = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect x="2" y="2" width="16" height="6"/></svg>'
    )

    def test_a_drawing_is_drawn_at_512_px_and_trimmed(self, tmp_path: Path) -> None:
        pytest.importorskip("resvg_py")
        (tmp_path / "bar.svg").write_bytes(self.SQUARE)
        (logo,) = load(tmp_path).logos
        assert logo.rgba.shape[1] == pytest.approx(512 * 16 / 20, abs=2)
        assert logo.aspect == pytest.approx(16 / 6, rel=0.02)
        assert (logo.rgba[100, 100] == (0, 0, 0, 255)).all()

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ("<text>Hello</text>", "text"),
            ('<image href="/etc/passwd"/>', "another picture"),
            ("<rect", "no SVG"),
            ("<g/>", "no size"),
        ],
    )
    def test_what_is_not_in_the_file_is_not_drawn(self, tmp_path: Path, body: str, reason: str) -> None:
        pytest.importorskip("resvg_py")
        picture().save(tmp_path / "good.png")
        (tmp_path / "bad.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>')
        ((name, why),) = load(tmp_path).refused
        assert name == "bad.svg"
        assert reason in why

    @pytest.mark.parametrize("size", ['viewBox="0 0 1 100000"', 'width="1e999" height="3"', 'width="0" height="5"'])
    def test_sizes_that_would_fill_the_memory_are_refused(self, tmp_path: Path, size: str) -> None:
        pytest.importorskip("resvg_py")
        picture().save(tmp_path / "good.png")
        (tmp_path / "tall.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="M0 0h9v9z"/></svg>'
        )
        ((_, why),) = load(tmp_path).refused
        assert "size" in why

    def test_a_tall_drawing_is_512_px_high(self, tmp_path: Path) -> None:
        pytest.importorskip("resvg_py")
        size = 'width="10mm" height="20mm" viewBox="-5 0 10 20"'
        tall = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="M-4 1h8v18h-8z"/></svg>'
        (tmp_path / "tall.svg").write_text(tall)
        (logo,) = load(tmp_path).logos
        assert logo.rgba.shape[0] == pytest.approx(512 * 18 / 20, abs=2)

    def test_entities_are_refused(self, tmp_path: Path) -> None:
        pytest.importorskip("resvg_py")
        picture().save(tmp_path / "good.png")
        bomb = (
            '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'
        )
        (tmp_path / "bomb.svg").write_text(bomb)
        ((_, why),) = load(tmp_path).refused
        assert "no SVG" in why

"""Known data sets that no format reads: told by name, with a way out, and never taken for folders of classes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.errors import DataError
from vision_cli.formats import foreign
from vision_cli.stages.detecting import detect

ASSETS = Path(__file__).parents[3] / "shared/data/datumaro_assets/tests/assets"
KNOWN = {
    "ade20k2017_dataset/dataset": "ADE20K of 2017",
    "ade20k2020_dataset/dataset": "ADE20K of 2020",
    "labelme_dataset": "LabelMe XML of MIT",
    "widerface_dataset": "WIDER FACE",
    "icdar_dataset": "ICDAR text",
    "market1501_dataset": "Market-1501",
    "mars_dataset": "MARS",
    "mots_dataset": "MOTS",
    "vgg_face2_dataset": "VGGFace2",
    "celeba_dataset": "CelebA",
    "mpii_json_dataset": "MPII human pose",
    "vott_json_dataset": "VoTT JSON",
    "mapillary_vistas_dataset": "Mapillary Vistas",
    "mvtec_dataset/category_0": "MVTec AD",
    "dota_dataset": "DOTA",
}


@pytest.mark.skipif(not ASSETS.is_dir(), reason="needs the real data sets in ../shared/data")
@pytest.mark.parametrize(("name", "kind"), KNOWN.items())
def test_real_sets_of_other_kinds_are_refused_by_name(name: str, kind: str) -> None:
    with pytest.raises(DataError, match=f"is of {kind}, which is not read") as caught:
        detect(ASSETS / name)
    assert "--mapping" in str(caught.value.hint)


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(path)


def test_folders_of_classes_with_such_a_file_are_no_image_folder(tmp_path: Path) -> None:
    photo(tmp_path / "street/1.png")
    photo(tmp_path / "beach/2.png")
    assert [name for name, _ in formats.detect(tmp_path)] == ["imagefolder"]
    (tmp_path / "street/1_atr.txt").write_text("001 # 0 # 1 # sky # sky # \n")
    assert formats.detect(tmp_path) == []
    with pytest.raises(DataError, match=r"street/1_atr\.txt is of ADE20K of 2017") as caught:
        formats.refuse_foreign(tmp_path)
    assert "scene parsing" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("content", "is_mit"),
    [
        ("<annotation><object><polygon><pt/></polygon></object></annotation>", True),
        ("<annotation><object><bndbox/></object></annotation>", False),
        ("<annotations><image/></annotations>", False),
    ],
)
def test_xml_is_told_by_its_elements(content: str, is_mit: bool, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(content)
    assert (foreign.kind_of(tmp_path) is not None) == is_mit


def test_a_folder_of_many_files_costs_a_bounded_look(tmp_path: Path) -> None:
    deep = tmp_path
    for name in "abcdefgh":
        deep = deep / name
    deep.mkdir(parents=True)
    (deep / "1_atr.txt").write_text("")
    assert foreign.kind_of(tmp_path) is None
    assert foreign.kind_of(tmp_path / "a/b/c/d/e") is not None
    assert foreign.kind_of(tmp_path / "missing") is None

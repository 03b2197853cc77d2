"""docs/formats.md and formats_of_your_own.md: what is typed prints what is shown, tables say what formats say."""

from pathlib import Path

import pytest
from typed_pages import ROOT, check_page, write_files

from vision_cli.formats import CARRIED, FORMATS, conserving

PAGE = (ROOT / "docs" / "formats.md").read_text()
OWN = "formats_of_your_own.md"
FEW = 9
EVIDENCE = {
    "imagefolder": "folders of photos, two or more, or one that may be a class",
    "cvat": "XML that begins with `<annotations>` and CVAT's elements",
    "labelstudio": "JSON with tasks: `data` beside `annotations` or `predictions`",
    "labelme": "JSON with `shapes` and `imagePath`",
    "csv": "header with a column of paths and one of labels, values or boxes",
    "coco": "JSON with two of `images`, `annotations`, `categories`",
    "lvis": "COCO with `neg_category_ids` and the like, or a name such as `lvis_v1_val.json`",
    "yolo": "`data.yaml`, `obj.data`, or rows of shares in `labels` beside `images`",
    "openimages": "CSV with `ImageID` and `LabelName`",
    "voc": "XML with an object and its `<bndbox>`",
    "voc-segmentation": "none: looks like `voc`; named with `--from`",
    "kitti": "text files whose first line is a word and 14 or 15 numbers",
    "vision": "`dataset.json` beside `images.parquet`",
    "webdataset": "tar archives of photos beside labels",
    "huggingface": "`metadata.jsonl`, `.csv` or `.parquet` with `file_name`",
    "tfrecord": "a record's length with its checksum",
    "mapping": "none: named with `--mapping`",
    "panoptic": "JSON with `segments_info`, or two-channel PNGs beside a JSON of photos",
    "cityscapes": "a folder `gtFine` or `gtCoarse` with labels",
    "masks": "pictures of masks whose names are those of photos",
}


def carries(name: str) -> str:
    """Return the names that a format holds, or those that it does not if they are fewer."""
    held = FORMATS.load(name).CARRIES
    missing = [each for each in CARRIED if each not in held]
    if not missing:
        return "everything"
    if len(missing) <= FEW:
        return f"everything but {', '.join(missing)}"
    return ", ".join(each for each in CARRIED if each in held)


def formats_table() -> list[str]:
    rows = ["| name | what it is | is found by | carries | pixels | |", "| --- | --- | --- | --- | --- | --- |"]
    for name, card in FORMATS.cards().items():
        format = FORMATS.load(name)
        use = "read, write" if hasattr(format, "write") else "read"
        pixels = getattr(format, "PIXELS", "-")
        rows.append(f"| `{name}` | {card.summary} | {EVIDENCE[name]} | {carries(name)} | {pixels} | {use} |")
    return rows


def names_table(names: dict[str, str]) -> list[str]:
    return [
        "| name | what is lost without it |",
        "| --- | --- |",
        *(f"| `{n}` | {text} |" for n, text in names.items()),
    ]


def others_table() -> list[str]:
    return names_table({**conserving.DEFECTS, **conserving.OTHERS})


TABLES = {"FORMATS": formats_table, "NAMES": lambda: names_table(CARRIED), "OTHERS": others_table}


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_say_what_the_formats_say(table: str) -> None:
    assert "\n".join(TABLES[table]()) in PAGE


def test_every_format_has_its_paragraph() -> None:
    headings = " ".join(line for line in PAGE.splitlines() if line.startswith("### ")).split()
    assert [name for name in FORMATS if name not in headings] == []


def test_voc_masks_and_mappings_are_found_by_nobody() -> None:
    assert FORMATS.load("mapping").detect(Path()) is None
    assert FORMATS.load("voc-segmentation").detect(Path()) is None


def test_what_is_typed_prints_what_is_shown(tmp_path: Path) -> None:
    assert len(check_page("formats.md", tmp_path)) >= 15


def test_formats_of_ones_own_print_what_is_shown(tmp_path: Path) -> None:
    text = (ROOT / "docs" / OWN).read_text()
    assert len(write_files(text, tmp_path)) == 6
    assert len(check_page(OWN, tmp_path)) >= 9

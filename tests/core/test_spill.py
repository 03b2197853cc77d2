"""Long columns in a mapped file: the same data as in memory, and no file left."""

from itertools import pairwise

import pyarrow as pa
import pytest

from vision_cli.core import data_digest, spill
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.spill import LongColumn, let_go, spilling, trim
from vision_cli.formats import ReadOptions, coco

TEXTS = [b"", None, b"\x00\xff", *(b"%d" % at * at for at in range(40))]


@pytest.fixture
def small(monkeypatch):
    """Let columns of some bytes go to the file, on a disk of any size."""
    monkeypatch.setattr(spill, "SEGMENT_BYTES", 64)
    monkeypatch.setattr("vision_cli.formats.coco.texts.SEGMENT_BYTES", 64)
    monkeypatch.setattr(data_digest, "_PART_BYTES", 64)
    monkeypatch.setattr(spill, "_SPARE_BYTES", 0)


def grown():
    column = LongColumn()
    for start in range(0, len(TEXTS), 4):
        whole = pa.array([b"before", *TEXTS[start : start + 4]], pa.binary())
        column.append(whole.slice(1))
    return column.column()


def test_a_spilled_column_says_the_same(small, tmp_path):
    with spilling(tmp_path):
        column = grown()
        assert column.num_chunks > 1
        let_go()
        trim()
        assert column.to_pylist() == TEXTS
        assert column.take(pa.array([5, 2, 1])).to_pylist() == [TEXTS[5], TEXTS[2], TEXTS[1]]
        assert len(spill._CURRENT.get().maps) > 1
        assert list(tmp_path.iterdir()) == []  # it has no name
    assert column.to_pylist() == TEXTS  # who still has it may go on


def test_without_spilling_a_column_is_one_piece_in_memory(small):
    column = grown()
    assert isinstance(column, pa.Array)
    assert column.to_pylist() == TEXTS


def test_a_disk_with_little_room_is_left_alone(small, tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "_SPARE_BYTES", 1 << 62)
    with spilling(tmp_path):
        assert grown().to_pylist() == TEXTS
        assert spill._CURRENT.get().maps == []


def test_a_folder_that_cannot_be_written_means_memory(small, tmp_path):
    with spilling(tmp_path / "missing"):
        assert not spill.is_spilling()
        assert grown().to_pylist() == TEXTS
    assert not (tmp_path / "missing").exists()


def test_a_coco_file_is_the_same_data_either_way(small, tmp_path):
    (tmp_path / "labels.json").write_text(labels(200))
    plain = coco.read(tmp_path / "labels.json", ReadOptions("set"))
    with spilling(tmp_path):
        spilled = coco.read(tmp_path / "labels.json", ReadOptions("set"))
        assert len(spill._CURRENT.get().maps) > 1
        assert spilled.annotations.equals(plain.annotations)
        assert spilled.images.equals(plain.images)
        assert spilled.digest() == _without_parts(plain)


def _without_parts(dataset):
    """Return the digest as it is taken of columns that are short enough for one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_digest, "_PART_BYTES", 1 << 30)
        return dataset.digest()


def labels(number):
    """Return a COCO file whose annotations are in no order of photos, some without outline."""
    photos = ",".join(f'{{"id":{at},"file_name":"{at}.jpg","width":64,"height":64}}' for at in range(10))
    outlines = ["[]" if at % 3 == 0 else f"[[1,1,{at},2,3,{at}.5]]" for at in range(number)]
    rows = ",".join(
        f'{{"id":{at + 1},"image_id":{at * 7 % 10},"category_id":1,"bbox":[1,1,{at + 1},5],"segmentation":{text}}}'
        for at, text in enumerate(outlines)
    )
    return f'{{"images":[{photos}],"annotations":[{rows}],"categories":[{{"id":1,"name":"a"}}]}}'


@pytest.mark.parametrize("cuts", [(), (3,), (1, 2, 30)])
def test_texts_in_another_order_are_taken_chunk_by_chunk(small, cuts):
    edges = [0, *cuts, len(TEXTS)]
    pieces = [pa.array(TEXTS[a:b], pa.binary()) for a, b in pairwise(edges)]
    order = [*range(len(TEXTS) - 1, -1, -2), *range(0, len(TEXTS), 2)][:30]
    found = data_digest._taken(pa.chunked_array(pieces), pa.array(order).to_numpy())
    assert found.to_pylist() == [TEXTS[at] for at in order]


def test_an_empty_set_has_a_digest():
    empty = pa.table({"id": pa.array([], pa.int64()), "source": pa.array([], pa.string())})
    images = empty.append_column("path", pa.array([], pa.string())).append_column("split", pa.array([], pa.string()))
    labels_ = pa.table({name: pa.array([], pa.int64()) for name in ("id", "image_id", "class_id", "value")})
    assert len(Dataset(images, labels_, ClassMap(), {}).digest()) == 16

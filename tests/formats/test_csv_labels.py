"""CSV labels: dialects, roles of columns, and every bad row at once."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats.csv_table import header_of, rows_of
from vision_cli.formats.problems import Problems


def read(path: Path, **options: str) -> Dataset:
    return formats.read("table", SourceConfig(path=str(path), format="csv", **options), path)


def label_sets(dataset: Dataset) -> list[set[str]]:
    names = dataset.classes.names
    return [{names[index] for index in row.nonzero()[0]} for row in dataset.class_matrix()]


@pytest.fixture
def table(write, tmp_path: Path):
    """Return a function that writes three photos and a CSV beside them."""
    for name in "abc":
        write(f"{name}.jpg", size=(4 + ord(name) % 97, 3))

    def make(text: str | bytes, name: str = "labels.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def test_one_label_a_photo(table) -> None:
    dataset = read(table("path,label\na.jpg,cat\nb.jpg,dog\nc.jpg,cat\n"))
    assert dataset.classes.names == ("cat", "dog")
    assert dataset.class_ids().tolist() == [0, 1, 0]
    assert dataset.images["width"].to_pylist() == [4, 5, 6]
    assert dataset.notes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_dialects(table, delimiter: str, bom: bytes, newline: str) -> None:
    text = newline.join(["File;Class", "a.jpg;cat", "", "b.jpg;dog"]).replace(";", delimiter)
    dataset = read(table(bom + text.encode()))
    assert label_sets(dataset) == [{"cat"}, {"dog"}]


@pytest.mark.parametrize("path", ["path", "file", "filename", "image", "PATH", " Image "])
@pytest.mark.parametrize("label", ["label", "labels", "class", "Label"])
def test_aliases_of_the_columns(table, path: str, label: str) -> None:
    assert label_sets(read(table(f"{label},{path}\ncat,a.jpg\n"))) == [{"cat"}]


def test_several_labels_a_photo_may_be_none(table) -> None:
    dataset = read(table("path,label\na.jpg,snow | road|snow\nb.jpg,\nc.jpg,road\n"))
    assert label_sets(dataset) == [{"snow", "road"}, set(), {"road"}]
    assert dataset.notes == ("1 photos have no label: none of the classes is on them.",)


def test_values_with_split_group_and_metadata(table) -> None:
    dataset = read(table("path,value,split,group,camera\na.jpg,-1.5e2,Training,g1,\nb.jpg,.5,,,leica\n"))
    assert dataset.values().tolist() == [-150.0, 0.5]
    assert dataset.splits().tolist() == ["train", ""]
    assert dataset.images["group"].to_pylist() == ["g1", None]
    assert dataset.images["camera"].to_pylist() == [None, "leica"]
    assert dataset.annotations["class_id"].null_count == 2


def test_an_empty_group_is_no_group(table) -> None:
    assert read(table("path,label,Group\na.jpg,x,\nb.jpg,x,g\n")).images["group"].to_pylist() == [None, "g"]


def test_columns_of_ours_and_columns_without_name_are_left_out_and_told(table) -> None:
    dataset = read(table(",path,label,width,id\n0,a.jpg,cat,999,x\n"))
    assert dataset.images["width"].to_pylist() == [4]
    assert dataset.notes == (
        "Column 1 of the CSV is left out: '' has no name.",
        "Column 4 of the CSV is left out: 'width' is a column of ours.",
        "Column 5 of the CSV is left out: 'id' is a column of ours.",
    )


def test_photos_may_lie_elsewhere(table, write, tmp_path: Path) -> None:
    write("far/away/d.jpg")
    file = table("path,label\nd.jpg,cat\n")
    assert read(file, images="far/away").paths() == [tmp_path / "far/away/d.jpg"]
    assert read(file, images=str(tmp_path / "far/away")).paths() == [tmp_path / "far/away/d.jpg"]
    with pytest.raises(DataError, match="1 missing photos") as caught:
        read(file)
    assert "set `images`" in str(caught.value.hint)


def test_a_folder_with_one_such_csv_is_enough(table, tmp_path: Path) -> None:
    table("path,label\na.jpg,cat\n")
    table("name,price\nx,1\n", "prices.csv")
    assert len(read(tmp_path)) == 1
    table("path,label\nb.jpg,cat\n", "more.csv")
    with pytest.raises(DataError, match=r"found 2: labels\.csv, more\.csv"):
        read(tmp_path)


def test_every_kind_of_bad_row_at_once(table, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    (tmp_path / "escape.jpg").symlink_to("/etc/hosts")
    rows = [
        "path,label,split,value",
        "a.jpg,cat,train,1",
        "gone.jpg,cat,train,1",
        "b.jpg,,train,1",
        "../secret.jpg,cat,train,1",
        "/etc/passwd,cat,train,1",
        "escape.jpg,cat,train,1",
        "./a.jpg,dog,train,1",
        "c.jpg,cat,holdout,1",
        "page.jpg,cat,train,1",
        "b.jpg,cat",
        ",cat,train,1",
    ]
    with pytest.raises(DataError) as caught:
        read(table("\n".join(rows)))
    error = caught.value
    assert "labels.csv: 10 bad rows of 10:" in error.message
    for kind in (
        "3 paths out of the folder",
        "1 missing photos",
        "1 empty labels",
        "1 repeated photos",
        "1 unknown splits",
        "1 unreadable photos",
        "1 rows of another length",
        "1 empty paths",
    ):
        assert kind in error.message
    assert [line.split(":")[1] for line in error.details] == ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]
    assert error.exit_code == 3


def test_only_ten_rows_are_shown(table) -> None:
    rows = "".join(f"gone{number}.jpg,cat\n" for number in range(5000))
    with pytest.raises(DataError, match="5000 missing photos") as caught:
        read(table("path,label\n" + rows))
    assert len(caught.value.details) == 11
    assert caught.value.details[-1] == "and 4990 more"


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "1e999", "", "1_0", "\uff11\uff12", "0x10", "1,5", "1 2", "½", "--1", "1e", "."]
)
def test_values_that_are_no_finite_ascii_numbers(table, value: str) -> None:
    with pytest.raises(DataError, match="1 bad values"):
        read(table(f'path,value\na.jpg,"{value}"\n'))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back(value: float) -> None:
    from vision_cli.formats.csv_labels import _NUMBER

    assert _NUMBER.fullmatch(repr(value))


def test_bytes_that_are_not_utf8_are_named_by_offset(table) -> None:
    with pytest.raises(DataError, match=r"labels\.csv:2: byte 0xe9 at offset 18 is not UTF-8"):
        read(table(b"path,label\na.jpg,b\xe9b\xe9\n"))
    with pytest.raises(DataError, match="is UTF-16"):
        read(table("path,label\na.jpg,cat\n".encode("utf-16")))


def test_quotes_hold_delimiters_newlines_and_quotes(table) -> None:
    dataset = read(table('path,label\na.jpg,"cat, ""big""\nand old"\nb.jpg,dog\n'))
    assert label_sets(dataset) == [{'cat, "big"\nand old'}, {"dog"}]
    with pytest.raises(DataError) as caught:
        read(table('path,label\na.jpg,"cat\nold"\ngone.jpg,dog\n'))
    assert caught.value.details[0].startswith("labels.csv:4: gone.jpg")


@pytest.mark.parametrize("text", ['path,label\na.jpg,"cat\nb.jpg,dog\n', 'path,label\na.jpg,"cat"s\n'])
def test_broken_quotes_are_refused_with_their_line(table, text: str) -> None:
    with pytest.raises(DataError, match="1 rows that cannot be parsed") as caught:
        read(table(text))
    assert caught.value.details[0].startswith("labels.csv:2: ")


@pytest.mark.parametrize(
    "text", ["", "\n", "name,price\na,1\n", "path\na.jpg\n", "\x00\x01\x02", "path|label\na.jpg|x\n"]
)
def test_a_header_that_does_not_fit(table, text: str) -> None:
    with pytest.raises(DataError, match=r"labels\.csv:1: no column for the path"):
        read(table(text))


@pytest.mark.parametrize("header", ["path,label,class", "path,filename,label", "path,label,camera,camera"])
def test_columns_that_stand_there_twice(table, header: str, tmp_path: Path) -> None:
    row = "a.jpg" + ",x" * header.count(",")
    path = table(f"{header}\n{row}\n")
    with pytest.raises(DataError, match=r"labels\.csv:1: the column"):
        formats.read("table", SourceConfig(path="x"), path)


def test_a_header_alone_is_refused(table) -> None:
    with pytest.raises(DataError, match="no row below the header"):
        read(table("path,label\n"))


def test_a_huge_cell_and_a_nul_are_refused(table) -> None:
    with pytest.raises(DataError, match="1 rows that cannot be parsed") as caught:
        read(table("path,label\na.jpg," + "x" * 200_000))
    assert "field larger" in caught.value.details[0]
    with pytest.raises(DataError, match="paths out of the folder"):
        read(table("path,label\na\0.jpg,x\n"))
    with pytest.raises(DataError, match="missing"):
        read(table(f"path,label\n{'n' * 5000}.jpg,x\n"))


def test_a_large_file_is_refused_before_it_is_read(table, monkeypatch) -> None:
    monkeypatch.setattr("vision_cli.formats.csv_table.MAX_BYTES", 10)
    with pytest.raises(DataError, match="larger than"):
        read(table("path,label\na.jpg,cat\n"))


CELLS = st.text(st.sampled_from('a\n\r",;\t é'), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None)
def test_what_the_csv_module_writes_comes_back_with_its_lines(rows, delimiter: str, newline: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    starts = []
    for row in [("path", "label"), *rows]:
        # Physical lines as editors and the csv module count them: \n, \r\n and \r end one.
        starts.append(len(io.StringIO(buffer.getvalue(), newline="").readlines()) + 1)
        writer.writerow(row)
    header = header_of(buffer.getvalue())
    problems = Problems(Path("x.csv"))
    assert header is not None
    found = [(row.line, tuple(row.cells)) for row in rows_of(buffer.getvalue(), header, problems)]
    expected = [(start, row) for start, row in zip(starts[1:], rows, strict=True) if any(row)]
    assert found == expected


@given(st.binary(max_size=60), st.sampled_from([b"", b"path,label\n", b"path;value\n", b"path\tlabel\tsplit\n"]))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_read_or_refused(junk: bytes, header: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        path.write_bytes(header + junk)
        formats.detect(path)
        with pytest.raises(DataError):  # no photo lies there, so nothing can be right
            read(path)

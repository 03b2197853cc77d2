"""SQL that means harm: refused or ended, and memory and time stay bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.sandbox import Limits, run

TABLES = {"images": pa.table({"id": [1, 2, 3], "name": ["a", None, "<script>"]})}
SMALL = Limits(memory_mb=300, seconds=1.5)

LOCKED = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('http://127.0.0.1:1/x')",
    "SELECT * FROM parquet_scan('/tmp/x.parquet')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM images, (SELECT * FROM '/etc/hosts')",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT getenv('HOME')",
    "SELECT * FROM TABLES",
    "ATTACH '/tmp/x.db'",
    "COPY images TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "EXPORT DATABASE '/tmp/x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "CALL range(3)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "INSERT INTO images VALUES (1, 'x')",
    "DELETE FROM images",
    "DROP TABLE images",
    "WITH t AS (SELECT 1) DELETE FROM images",
    "BEGIN",
    "USE x",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE images",
    "",
    ";",
    "-- nothing",
    "SELEKT 1",
    "SELECT nothing FROM images",
    "SELECT '",
]
COSTLY = [
    "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t",
    "SELECT count(*) FROM range(100000000) a, range(100000000) b",
    "SELECT * FROM range(100000000) a, range(100000000) b",
    "SELECT rpad('a', 2147483647, 'b')",
    "SELECT sum(length(repeat('a', 1000000000)))",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(1000000)",
    "SELECT repeat('a', 1000000) FROM range(1000)",
    "SELECT bit_length(bitstring('1', 2000000000))",
]


@pytest.mark.parametrize("sql", LOCKED)
def test_what_is_locked_is_refused(sql: str) -> None:
    start = time.monotonic()
    with pytest.raises(UsageError) as caught:
        run(sql, TABLES, SMALL)
    assert "\n" not in caught.value.message
    assert "root:" not in str(caught.value)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("sql", COSTLY)
def test_what_costs_too_much_is_ended(sql: str) -> None:
    start = time.monotonic()
    with pytest.raises(
        DataError, match=r"longer than 1\.5 seconds|more memory|want of memory|larger than|MB of memory"
    ):
        run(sql, TABLES, SMALL)
    assert time.monotonic() - start < 5


def test_what_costs_too_much_takes_no_memory() -> None:
    """In a process that has had no other child: the system only tells the largest of all."""
    lines = (
        "import resource, test_sandbox as tests",
        "for sql in tests.COSTLY:",
        "    try: tests.run(sql, tests.TABLES, tests.SMALL)",
        "    except tests.DataError: pass",
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=environment, capture_output=True, text=True, check=True
    )
    assert 10_000 < int(done.stdout) < 3_000_000  # kB


def children() -> set[int]:
    """Return the processes below this one; libraries that ran before may keep some."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found


def test_no_process_and_no_descriptor_is_left() -> None:
    before, own = len(list(Path("/proc/self/fd").iterdir())), children()
    for sql in ("SELECT 1", "SELECT nothing", "SELECT rpad('a', 2147483647, 'b')"):
        with suppress(UsageError, DataError):
            run(sql, TABLES, Limits(300, 0.5))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert children() <= own


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("SELECT count(*) AS n FROM range(3000000) GROUP BY range % 1000000", TABLES).total == 1_000_000
    assert list(tmp_path.rglob("*")) == []


def test_answers_are_exact_and_in_order() -> None:
    values = [0.1, 599.41, 5e-324, 1e300, None]
    answer = run("SELECT * FROM t", {"t": pa.table({"v": values})})
    assert answer.table["v"].to_pylist() == values
    assert run("SELECT * FROM images ORDER BY id DESC", TABLES).table["name"].to_pylist() == ["<script>", None, "a"]


def test_rows_beyond_the_limit_are_counted() -> None:
    answer = run("SELECT * FROM range(1000)", {}, Limits(rows=3))
    assert (answer.table.num_rows, answer.total) == (3, 1000)
    assert run("SELECT 1 WHERE false", {}).total == 0


@pytest.mark.parametrize(
    "sql", ["DESCRIBE images", "SUMMARIZE images", "SHOW TABLES", "FROM images", "VALUES (1)", "EXPLAIN SELECT 1"]
)
def test_what_else_only_reads(sql: str) -> None:
    assert run(sql, TABLES).total >= 1


def test_it_runs_beside_other_threads() -> None:
    """Arrow's own threads are at work when the process forks."""
    stop = threading.Event()
    numbers = pa.chunked_array([pa.array(range(100_000))] * 8)

    def work() -> None:
        while not stop.is_set():
            pc.sum(pc.add(numbers, 1))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert run("SELECT count(*) AS n FROM images", TABLES, SMALL).table["n"].to_pylist() == [3]
    finally:
        stop.set()
        for thread in threads:
            thread.join()

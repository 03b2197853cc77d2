"""Run somebody's SQL where it can do no harm: DuckDB in a forked process that may only look at the given tables.

DuckDB itself is locked: no files, no network, no extensions, no settings. That bounds neither time nor memory of all of
its functions (2.0 takes 4 GB for `rpad('a', 2147483647, 'b')` under a limit of 500 MB, and does not heed an interrupt
meanwhile), so the process has limits of its own, and is killed when its time is over or its memory grows too far. The
tables cost nothing: a forked process shares their memory.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core.errors import DataError, UsageError, VisionError
from vision_cli.views.sql_faults import meaning
from vision_cli.views.sql_functions import Asked, Function, Key

_CHUNK_BYTES = 1 << 20
_SLACK_BYTES = 1 << 30  # of address space: thread stacks, arenas of the allocator, mapped libraries
_SLACK_MB = 300  # of memory: DuckDB itself, and what Python touches
_LOOK_SECONDS = 0.05
_PARENT_DEATH_SIGNAL = 1  # linux/prctl.h
_READABLE = frozenset({"SELECT", "EXPLAIN", "RELATION"})
_ANSWER, _FAULT, _QUESTIONS = b"A", b"F", b"Q"

_LOCK = (
    "SET temp_directory = ''",  # nothing is spilled to the disk
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET TimeZone = 'UTC'",
)


_Query = tuple[str, Mapping[str, pa.Table], Sequence[Function]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take.

    Attributes:
        memory_mb: beyond the tables that it looks at.
        seconds: of wall time.
        rows: of the answer that are returned; None returns all.
    """

    memory_mb: int = 4000
    seconds: float = 120.0
    rows: int | None = None


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        table: its rows, no more than the limit.
        total: how many there were.
        asked: what its functions would have to know first; then there are no rows.
    """

    table: pa.Table
    total: int
    asked: tuple[Key, ...] = ()


def run(
    sql: str, tables: Mapping[str, pa.Table], limits: Limits = DEFAULT, functions: Sequence[Function] = ()
) -> Answer:
    """Run one SELECT over some tables, with functions whose answers are looked up.

    Raises:
        UsageError: it is no single SELECT, names what is not there, or asks for what is locked.
        DataError: a value does not fit, or time or memory are used up.
    """
    readable, writable = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other threads only wait for work, and the child starts its own
        child = os.fork()
    if child == 0:
        _live(writable, (sql, tables, functions), limits)
    os.close(writable)
    try:
        content = _received(readable, child, limits)
    finally:
        os.close(readable)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return _answer(content, status)


def _received(readable: int, child: int, limits: Limits) -> bytearray:
    """Return all that the child says.

    Raises:
        DataError: its time is over, its memory has grown too far, or it says more than that would hold.
    """
    content = bytearray()
    end, before = time.monotonic() + limits.seconds, _resident_mb(child)
    while True:
        ready, _, _ = select.select([readable], [], [], _LOOK_SECONDS)
        if _resident_mb(child) - before > limits.memory_mb + _SLACK_MB:
            raise _too_much(f"the query needs more than {limits.memory_mb} MB of memory.")
        if time.monotonic() > end:
            raise DataError(
                f"the query took longer than {limits.seconds:g} seconds.", hint="Narrow it down: fewer rows or joins."
            )
        if not ready:
            continue
        chunk = os.read(readable, _CHUNK_BYTES)
        if not chunk:
            return content
        content += chunk
        if len(content) > limits.memory_mb * 1_000_000:
            raise _too_much(f"the answer is larger than {limits.memory_mb} MB.")


def _resident_mb(child: int) -> float:
    """Return the memory that a process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


def _answer(content: bytearray, status: int) -> Answer:
    kind = bytes(content[:1])
    if kind == _FAULT:
        raise _fault(json.loads(content[1:]))
    if kind == _QUESTIONS:
        return Answer(pa.table({}), 0, tuple((name, text) for name, text in json.loads(content[1:])))
    if kind != _ANSWER:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        raise _too_much(f"the query broke the engine (signal {number}), most likely for want of memory.")
    with pa.ipc.open_stream(pa.py_buffer(content).slice(1)) as stream:
        table = stream.read_all()
    total = int(table.schema.metadata[b"total"])
    return Answer(table.replace_schema_metadata(None), total)


def _fault(document: Mapping[str, Any]) -> VisionError:
    kind = UsageError if document["usage"] else DataError
    return kind(document["message"], hint=document["hint"])


def _too_much(message: str) -> DataError:
    return DataError(message, hint="Ask for fewer rows or columns, or count instead of listing.")


def _live(writable: int, query: _Query, limits: Limits) -> None:
    """Be the child: answer and end, without anything that a Python process does at its end."""
    asked = Asked()
    try:
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends both
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        _say(writable, query, limits, asked)
    except BaseException as error:  # noqa: BLE001  # nothing may leave the child but through the pipe
        with suppress(OSError):  # what failed for want of an answer is tried again with it
            fault = _FAULT + json.dumps(meaning(error).as_json()).encode()
            _write(writable, _questions(asked) if asked.keys else fault)
    finally:
        os._exit(0)


def _questions(asked: Asked) -> bytes:
    return _QUESTIONS + json.dumps(list(asked.keys)).encode()


def _say(writable: int, query: _Query, limits: Limits, asked: Asked) -> None:
    import duckdb

    sql, tables, functions = query

    connection = duckdb.connect(":memory:", config={"threads": min(4, os.cpu_count() or 1)})
    connection.execute(f"SET memory_limit = '{limits.memory_mb}MB'")
    for name, table in tables.items():
        connection.register(name, table)
    asked.register(connection, functions)
    for line in _LOCK:
        connection.execute(line)
    connection.execute("SET lock_configuration = true")
    # up to 1.4 the export to Arrow reserves 9 MB of address space a column, which costs nothing
    _limit_process(limits, address_space=int(duckdb.__version__.split(".")[0]) >= 2)
    table = _table(connection, _statement(connection, sql))
    if asked.keys:
        _write(writable, _questions(asked))
        return
    shown = table if limits.rows is None else table.slice(0, limits.rows)
    with os.fdopen(writable, "wb", buffering=_CHUNK_BYTES) as pipe:
        pipe.write(_ANSWER)
        marked = shown.replace_schema_metadata({"total": str(table.num_rows)})
        with pa.ipc.new_stream(pipe, marked.schema) as stream:
            stream.write_table(marked)


def _statement(connection: Any, sql: str) -> Any:
    """Return the one statement that only reads."""
    found = connection.extract_statements(sql)
    if not found:
        raise UsageError("the query is empty.", hint="For example: SELECT path, width FROM images")
    if len(found) != 1:
        raise UsageError(f"expected one SELECT, got {len(found)} statements.", hint="Put subqueries into WITH.")
    kind = str(found[0].type).rpartition(".")[2]
    if kind not in _READABLE:
        raise UsageError(f"expected a SELECT, got {kind}.", hint="A query reads tables; it changes nothing.")
    return found[0]


def _table(connection: Any, statement: Any) -> pa.Table:
    return connection.sql(statement.query).to_arrow_table()


def _limit_process(limits: Limits, *, address_space: bool) -> None:
    """Let the system hold the process to its memory and time, and keep it from writing any file."""
    seconds = int(limits.seconds) * (os.cpu_count() or 1) + 5
    bounds = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    with suppress(OSError):  # no /proc: the system does not bound the address space either
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        if address_space:
            bounds[resource.RLIMIT_AS] = pages * resource.getpagesize() + _SLACK_BYTES + limits.memory_mb * 1_000_000
    for kind, bound in bounds.items():
        _, hard = resource.getrlimit(kind)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


def _write(writable: int, content: bytes) -> None:
    while content:
        content = content[os.write(writable, content) :]

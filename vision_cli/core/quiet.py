"""Other people's libraries write to stdout and stderr, from C++ too. Here their text is kept instead."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TextIO

_MAX_KEPT_BYTES = 100_000


@contextmanager
def kept_output() -> Iterator[Callable[[], str]]:
    """Keep what is written to stdout and stderr, and drop warnings; yield a function that returns the text so far.

    It swaps the descriptors of the whole process: other threads' output is kept too.
    """
    with ExitStack() as stack:
        sink = stack.enter_context(tempfile.TemporaryFile())
        for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
            if stream is not None:
                stream.flush()
            stack.enter_context(_descriptor_into(descriptor, sink))
        stack.enter_context(redirect_stdout(stack.enter_context(_text_stream(1))))
        stack.enter_context(redirect_stderr(stack.enter_context(_text_stream(2))))
        stack.enter_context(_root_handlers())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield lambda: _text(sink)


@contextmanager
def _descriptor_into(descriptor: int, sink: IO[bytes]) -> Iterator[None]:
    try:
        copy = os.dup(descriptor)
    except OSError:  # a daemon has no stdout
        yield
        return
    try:
        os.dup2(sink.fileno(), descriptor)
        yield
    finally:
        os.dup2(copy, descriptor)
        os.close(copy)


@contextmanager
def _text_stream(descriptor: int) -> Iterator[TextIO]:
    # Never closed: a library's log handler may hold on to it, and then writes to the real descriptor.
    stream = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    try:
        yield stream
    finally:
        stream.flush()


@contextmanager
def _root_handlers() -> Iterator[None]:
    # `logging.warning` without a configured root logger installs a handler on the stream of that moment.
    handlers = list(logging.root.handlers)
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers


def _text(sink: IO[bytes]) -> str:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    size = os.fstat(sink.fileno()).st_size
    start = max(0, size - _MAX_KEPT_BYTES)
    return os.pread(sink.fileno(), size - start, start).decode("utf-8", errors="replace")

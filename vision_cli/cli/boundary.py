"""The one place where exceptions end: each class becomes one message and one exit code."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType

import typer

from vision_cli.cli.app import PROGRAM, root
from vision_cli.cli.output import Output, Terminated
from vision_cli.cli.table import COMPLETION
from vision_cli.core import policy
from vision_cli.core.errors import VisionError


def run(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    policy.apply()
    words = list(argv)
    output = Output(as_json=asks_json(words))
    with _sigterm(), warnings.catch_warnings():
        if "-v" not in words and "--verbose" not in words:
            warnings.simplefilter("ignore")
        with output.guarded() if output.as_json else nullcontext():
            return _guarded(output, words)


def asks_json(words: Sequence[str]) -> bool:
    """Return whether `--json` stands among the options, known before anything is parsed."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


def _guarded(output: Output, words: list[str]) -> int:
    try:
        _invoke(output, words)
        output.finish()
    except typer.Exit as left:
        output.finish()
        return left.exit_code or output.exit_code
    except SystemExit as left:  # typer's completion ends so
        return left.code if isinstance(left.code, int) else 0
    except BaseException as error:  # noqa: BLE001  # the boundary
        if isinstance(error, BrokenPipeError) and not output.command:
            sys.stdout = None  # the reader of a help text has left: flush nothing at exit
            return 0
        from vision_cli.cli import faults

        _trace(output, error)
        output.fail(faults.meaning(error, output, words))
    return output.exit_code


def _invoke(output: Output, words: list[str]) -> None:
    command = root()
    if COMPLETION in os.environ:
        command.main(words, prog_name=PROGRAM)
    with command.make_context(PROGRAM, words, obj=output) as context:
        command.invoke(context)


def _trace(output: Output, error: BaseException) -> None:
    if output.verbose and isinstance(error, VisionError):
        import traceback

        traceback.print_exception(error, file=sys.stderr)


@contextmanager
def _sigterm() -> Iterator[None]:
    """Turn SIGTERM into an exception, in this process only; forked workers just end."""
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            os._exit(Terminated.exit_code)
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

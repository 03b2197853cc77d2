"""What other people's exceptions mean to a user."""

from __future__ import annotations

import difflib
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer._click.exceptions import ClickException, NoSuchOption

from vision_cli import __version__
from vision_cli.cli.command import command_name
from vision_cli.cli.output import Output, Terminated
from vision_cli.core.errors import MissingPartError, ResourceError, UsageError, VisionError

RESOURCE_ERRNOS = {
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EACCES,
    errno.EPERM,
}
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
_MEMORY_HINT = "Close other programs, or make train.batch_size, train.workers or model.input.size smaller."
_NO_COMMAND = "Missing command."
_WHOLE = "What was written whole stays."
SECTIONS = ("version", "name", "task", "classes", "data", "model", "train", "eval", "kpis", "export")


class Bug(VisionError):
    """Our own mistake."""

    exit_code = 1
    kind = "bug"


class Interrupted(VisionError):
    """The user or the system stopped it."""

    kind = "interrupted"

    exit_code = 130


class Stopped(Interrupted):
    """SIGTERM came."""

    exit_code = 143


def meaning(error: BaseException, output: Output, words: Sequence[str]) -> VisionError:
    """Return what to tell the user of any exception that left a command."""
    match error:
        case VisionError():
            return error
        case ClickException():
            return usage_error(error, output, words)
        case Terminated():
            return Stopped("terminated.", hint=_WHOLE)
        case KeyboardInterrupt() | typer.Abort():
            return Interrupted("interrupted.", hint=_WHOLE)
        case _:
            return _known(error) or bug(error, words)


def _known(error: BaseException) -> VisionError | None:
    """Return what another library's exception means, or None when it is our bug."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return ResourceError("memory ran out.", hint=_MEMORY_HINT)
    if isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        return ResourceError(f"memory ran out: {str(error).splitlines()[0]}", hint=_MEMORY_HINT)
    if isinstance(error, OSError) and error.errno in RESOURCE_ERRNOS:
        place = f"{error.filename}: " if error.filename else ""
        return ResourceError(f"{place}{error.strerror}.", hint="Check free space and permissions: vision doctor.")
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("vision_cli"):
        package = error.name.split(".")[0]
        return MissingPartError(f"the package '{package}' is not installed.", hint="pip install 'vision-cli[all]'")
    return None


def bug(error: BaseException, words: Sequence[str]) -> Bug:
    """Write the traceback to a log file and return what the terminal says instead."""
    import traceback

    log = _write_log("".join(traceback.format_exception(error)), words)
    where = f"The traceback is in {log}." if log else "The traceback could not be written to any folder."
    summary = str(error).splitlines()[0] if str(error) else ""
    return Bug(
        f"vision made a mistake: {type(error).__name__}{': ' if summary else ''}{summary}",
        hint=f"{where} Please report it with that file.",
    )


def log_folder() -> Path:
    """Return where tracebacks go: VISION_LOG_DIR, or the system's place for a user's logs."""
    import platformdirs

    return Path(os.environ.get("VISION_LOG_DIR") or platformdirs.user_log_dir("vision", appauthor=False))


def _write_log(text: str, words: Sequence[str]) -> Path | None:
    import tempfile
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    name = f"error-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
    head = f"{now.isoformat()}\nvision {__version__}, Python {sys.version}\nvision {' '.join(words)}\n\n"
    for folder in (log_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(head + text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    return None


def usage_error(error: ClickException, output: Output, words: Sequence[str]) -> UsageError:
    """Return a wrong command line as an error with a guess."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context else "vision"
    output.command = output.command or (command_name(context) if context else "")
    message = error.message if isinstance(error, NoSuchOption) else error.format_message()
    message = message.rstrip(".") + ("" if message.endswith("?") else ".")
    guess = _option_guess(error) or _override_guess(words)
    hints = [f"Did you mean {guess}?"] if guess else []
    text, hint = f"{path}: {message[:1].lower()}{message[1:]}", " ".join([*hints, f"See '{path} --help'."])
    return UsageError(text, hint=hint, details=_commands(context) if message == _NO_COMMAND else ())


def _commands(context: Any) -> list[str]:
    """Return the commands of a group that was called without one."""
    group = context.command
    names = group.list_commands(context)
    known: dict[str, str] = getattr(group, "summaries", {})
    told = known or {name: group.get_command(context, name).get_short_help_str(100) for name in names}
    return [f"{name}: {summary}" for name, summary in told.items()]


def _option_guess(error: ClickException) -> str | None:
    if not isinstance(error, NoSuchOption) or error.ctx is None:
        return None
    options = [name for param in error.ctx.command.get_params(error.ctx) for name in param.opts]
    matches = difflib.get_close_matches(error.option_name, options, n=1)
    return matches[0] if matches else None


def _override_guess(words: Sequence[str]) -> str | None:
    """Guess `train.epochs=5` from `trian.epochs=5`."""
    for word in words:
        section, dot, rest = word.partition(".")
        if dot and "=" in rest and section not in SECTIONS and (near := difflib.get_close_matches(section, SECTIONS)):
            return f"{near[0]}.{rest}"
    return None

"""The console script `vision`."""

import os
import sys

from vision_cli import __version__
from vision_cli.cli.table import COMPLETION, root_help


def main() -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:]
    if words in ([], ["--help"], ["-h"]) and COMPLETION not in os.environ:
        return _tell(root_help())
    if words == ["--version"]:
        return _tell(f"vision {__version__}")
    import gc

    gc.disable()  # nothing that the imports make is garbage: collecting it only costs
    from vision_cli.cli.boundary import run

    gc.enable()
    code = run(words)
    gc.freeze()  # Python visits all that is left once more before it ends, for nothing
    if {"-h", "--help"} & set(words):
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End at once: after a help text nothing is open, and taking Python down costs as much as starting it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed, or its reader has left
            continue
    os._exit(code)


def _tell(text: str) -> int:
    """Print without the boundary, whose imports cost more than the text."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except (BrokenPipeError, AttributeError):  # the reader has left, or stdout was never open
        sys.stdout = None  # nothing is left to flush at exit
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m vision_cli.runtimes.probe MODEL [THREADS]`: load a model, run one photo, print how much memory it took."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vision_cli.core import policy
from vision_cli.core.errors import VisionError
from vision_cli.runtimes import RUNTIMES, runtime_of
from vision_cli.runtimes.timing import rise_mb


def main(argv: Sequence[str]) -> int:
    """Write `{"rise_mb": ...}` to stdout and return the exit code."""
    policy.apply()
    path, threads = Path(argv[0]), int(argv[1]) if len(argv) > 1 else 1
    try:
        name = runtime_of(path)
        rise = rise_mb(lambda: RUNTIMES.load(name).open_model(path, threads=threads))
    except VisionError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"rise_mb": round(rise, 3)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

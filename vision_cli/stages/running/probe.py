"""`python -m vision_cli.stages.running.probe MODEL`: load any model, run one photo, print how much memory it took."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vision_cli.core import policy
from vision_cli.core.errors import VisionError
from vision_cli.runtimes.timing import rise_mb
from vision_cli.stages.running import loading


def main(argv: Sequence[str]) -> int:
    """Write `{"rise_mb": ...}` to stdout and return the exit code."""
    policy.apply()
    try:
        rise = rise_mb(lambda: loading.open_model(Path(argv[0]), threads=1))
    except VisionError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"rise_mb": round(rise, 3)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

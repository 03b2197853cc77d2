"""The project's phrases, read by the script that learns from them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_FILE = Path(__file__).parents[2] / "bench" / "task_classifier.py"


def script() -> ModuleType:
    """Return `bench/task_classifier.py` as a module."""
    sys.path[:] = [str(_FILE.parent), *(each for each in sys.path if each != str(_FILE.parent))]
    spec = importlib.util.spec_from_file_location("task_classifier", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

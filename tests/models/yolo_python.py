"""The Python that has Ultralytics: this one, or the one that VISION_YOLO_PYTHON names; without, tests are skipped."""

from __future__ import annotations

import importlib.util
import os

import pytest

there = bool(os.environ.get("VISION_YOLO_PYTHON")) or importlib.util.find_spec("ultralytics") is not None
needs_ultralytics = pytest.mark.skipif(not there, reason="needs Ultralytics, or VISION_YOLO_PYTHON")

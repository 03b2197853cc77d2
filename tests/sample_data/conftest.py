"""The script and its package stand beside the pictures, not in an installed package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "sample_data"))

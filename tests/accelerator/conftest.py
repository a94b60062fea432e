"""Tests on the pretend accelerator; `tests/test_accelerator.py` runs them in their own process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "editors"))  # its table of editors

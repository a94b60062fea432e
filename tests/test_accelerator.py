"""The tests in `accelerator/` run in a process of their own.

Once the pretend device is registered, torch takes it for the machine's accelerator, and backward
passes must not have run before.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "accelerator"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("test_*.py")), ids=lambda file: file.stem)
def test_the_pretend_accelerator(file: Path) -> None:
    command = [sys.executable, "-m", "pytest", str(file), "-q", "-p", "no:xdist", "-x"]
    alone = os.environ | {"PITFALLS_PRETEND": "1"}
    alone.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]

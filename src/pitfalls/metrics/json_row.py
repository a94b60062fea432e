"""Rows of `--json`: dataclasses of plain values."""

import math
from dataclasses import asdict
from typing import Any


class JsonRow:
    """The base of dataclasses that are printed as JSON."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """The row as strict JSON has it: null where a number is undefined or infinite."""
        row: Any = self
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(row).items()
        }

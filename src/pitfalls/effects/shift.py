"""Probability of an object before and after an edit."""

import math
from dataclasses import dataclass

FLOOR = 0.01
"""Lower bound of probabilities: a model cannot forget what it does not know."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Probability before and after an edit, the geometric mean over the object's tokens."""

    prompt: str
    object: str
    before: float
    after: float

    @property
    def log_ratio(self) -> float:
        """Log ratio ln(after / before), both at least `FLOOR`: −0.69 if halved."""
        return math.log(max(self.after, FLOOR) / max(self.before, FLOOR))

    @property
    def kept(self) -> float:
        """Ratio after / before, both at least `FLOOR`: 0.5 if halved."""
        return math.exp(self.log_ratio)

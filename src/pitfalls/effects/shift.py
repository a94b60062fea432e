"""A probability before and after an edit."""

import math
from dataclasses import dataclass

FLOOR = 0.01
"""Probabilities below this count as this: a model cannot forget what it hardly says."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A probability before and after, the geometric mean over the object's tokens."""

    prompt: str
    object: str
    before: float
    after: float

    @property
    def log_ratio(self) -> float:
        """ln(after / before), neither below `FLOOR`: −0.69 where it halved, above 0 if it won."""
        return math.log(max(self.after, FLOOR) / max(self.before, FLOOR))

    @property
    def kept(self) -> float:
        """The same as a share of what there was: 0.5 where it halved."""
        return math.exp(self.log_ratio)

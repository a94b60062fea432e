"""The few operations that several metrics share."""

import numpy as np

from pitfalls.metrics.metric import Guarded, Value


def vote(holds: bool) -> float:
    """1{…}."""
    return float(holds)


def relative_loss(before: float, after: float) -> float:
    """(before − after) / before as floating point has it: ±inf or NaN where `before` is 0."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return float(np.float64(before - after) / np.float64(before))


def clamped_loss(before: float, after: float, *, name: str) -> Value:
    """The relative loss, not below −1; the case is left out where there was nothing to lose."""
    if before == 0:
        return Guarded(f"{name} is 0")
    return max(relative_loss(before, after), -1.0)


def decreased_share(before: list[float], after: list[float], *, noise: float = 0.0) -> Value:
    """Which share of the probabilities fell by more than the share `noise` of themselves."""
    if not before:
        return Guarded("the case has no other true object")
    fell = [was - now > noise * was for was, now in zip(before, after, strict=True)]
    return sum(fell) / len(fell)

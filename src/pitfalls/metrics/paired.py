"""Differences between two sides, one for each case that both have, and what their mean is worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pitfalls.metrics.intervals import agreement_bound, bootstrap_intervals
from pitfalls.metrics.power import detectable


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of paired differences."""

    n: int
    difference: float
    low: float
    high: float
    detectable: float
    """NaN if the difference is the same in all cases: nothing tells how much it varies."""
    by_subject: NDArray[np.float64]
    """[subject]: what its cases add up to; these stand and fall together."""


def paired(
    differences: Sequence[float],
    subjects: Sequence[str],
    value_range: tuple[float, float],
    *,
    seed: int,
) -> Paired:
    """Mean, interval and what so many cases could show.

    Args:
        differences: [case], at least one, all finite.
        subjects: what each case is about.
        value_range: of the metric; a difference may be as large as its width, either way.
        seed: of the bootstrap.
    """
    values = np.asarray(differences, dtype=np.float64)
    mean, sums = float(values.mean()), _sums(values, subjects)
    low, high = bootstrap_intervals(values[:, None], subjects, seed=seed)[:, 0].tolist()
    if low != high:
        found = detectable(_standard_error(values, subjects))
        return Paired(len(values), mean, low, high, found, sums)
    width = value_range[1] - value_range[0]
    low, high = agreement_bound(mean, len(sums), (-width, width))
    return Paired(len(values), mean, low, high, math.nan, sums)


def _sums(values: NDArray[np.float64], subjects: Sequence[str]) -> NDArray[np.float64]:
    _, member = np.unique(np.asarray(subjects), return_inverse=True)
    return np.bincount(member, weights=values).astype(np.float64)


def _standard_error(values: NDArray[np.float64], subjects: Sequence[str]) -> float:
    """Standard error of the mean, with the cases of a subject taken together."""
    return float(np.sqrt((_sums(values - values.mean(), subjects) ** 2).sum()) / len(values))

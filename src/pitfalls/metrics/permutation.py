"""Permutation tests and their correction, by the libraries that do them; imported when needed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pitfalls.metrics.optional import optional

_FEWEST = 9_999
_PER_TEST = 100
"""Permutations for each test of a table: Holm multiplies the smallest p-value by their number, and
it must still be able to fall below 0.05."""
_BLOCK = 500
"""Permutations at a time; bounds the memory for runs of many cases."""


def permutation_p(differences: NDArray[np.float64], *, seed: int, tests: int = 1) -> float:
    """Two-sided p-value of a mean of paired differences, under exchange within pairs.

    Args:
        differences: [pair]; those of 0 are the same either way round.
        seed: of the permutations, where there are too many to try them all.
        tests: how many the table holds, for which the p-value will be corrected.

    Raises:
        PitfallsError: scipy is not installed.
    """
    moving = differences[differences != 0]
    if moving.size < 2:
        return 1.0  # swapping a single pair gives as large a difference, the other way round
    result = optional("scipy.stats").permutation_test(
        (moving, np.zeros_like(moving)),
        _mean_difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=max(_FEWEST, _PER_TEST * tests),
        batch=_BLOCK,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of one table, corrected by Holm's method.

    Raises:
        PitfallsError: statsmodels is not installed.
    """
    if not p_values:
        return []
    multitest = optional("statsmodels.stats.multitest")
    corrected: list[float] = multitest.multipletests(p_values, method="holm")[1].tolist()
    return corrected


def _mean_difference(first: NDArray[np.float64], second: NDArray[np.float64], axis: int) -> Any:
    return np.mean(first - second, axis=axis)

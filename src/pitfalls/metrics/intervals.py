"""Confidence intervals: by resampling, and where resampling says nothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK = 200
"""Resamples drawn at a time; bounds the memory for runs of many cases."""


def bootstrap_intervals(
    values: NDArray[np.float64],
    clusters: Sequence[str],
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> NDArray[np.float64]:
    """Percentile intervals of the mean of every column.

    Whole clusters are drawn, because cases of one subject stand and fall together; counting them
    as independent would make the interval too narrow. One draw serves all columns.

    Args:
        values: [case, metric], NaN where a metric leaves a case out.
        clusters: what each case belongs to.
        seed: of the resampling; equal seeds give equal intervals.
        resamples: how many times the clusters are drawn.
        level: the probability that the interval covers.

    Returns:
        [2, metric], lower and upper ends; NaN where a column has no finite mean.
    """
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    n = int(member.max()) + 1
    sums, counts = np.zeros((n, values.shape[1])), np.zeros((n, values.shape[1]))
    np.add.at(sums, member, np.where(np.isnan(values), 0, values))
    np.add.at(counts, member, ~np.isnan(values))
    generator = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _resampled(sums, counts, generator, min(_BLOCK, resamples - start))
            for start in range(0, resamples, _BLOCK)
        ]
    )
    tail = 100 * (1 - level) / 2
    ends = np.full((2, values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        drawn = means[np.isfinite(means[:, column]), column]
        if drawn.size:
            ends[:, column] = np.percentile(drawn, [tail, 100 - tail])
    return ends


def agreement_bound(
    value: float, n: int, value_range: tuple[float, float], *, level: float = 0.95
) -> tuple[float, float]:
    """Range that n agreeing observations leave open; a bootstrap of them would be one point.

    A value that appears with probability q is all that n draws show with probability q**n, so q is
    at least `tail ** (1 / n)`, and the rest of the draws may lie anywhere in the range. Where all
    votes are equal this is the Clopper-Pearson interval, which asks for nothing but independence.

    Args:
        value: what every observation says.
        n: independent observations: subjects, not cases.
        value_range: least and greatest value of one observation.
        level: the probability that the interval covers.

    Returns:
        Lower and upper end; infinite towards an end of the range that is.
    """
    seen = ((1 - level) / 2) ** (1 / n)
    low, high = (value if end == value else seen * value + (1 - seen) * end for end in value_range)
    return low, high


def _resampled(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    generator: np.random.Generator,
    resamples: int,
) -> NDArray[np.float64]:
    """[resample, metric]: means over clusters drawn with replacement."""
    n = len(sums)
    drawn = generator.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n)
    with np.errstate(invalid="ignore"):  # a draw without any usable case has no mean
        return (weights @ sums) / (weights @ counts)

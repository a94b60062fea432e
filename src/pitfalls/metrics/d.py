"""D, distortion: how far is the distribution over the true objects from what it was?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.metrics.true_objects import ROUND_TRIP, others
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import StateName


def js_per_object(before: Sequence[float], after: Sequence[float]) -> float:
    """JS(p, q) / N in nats and float32, as torch's `KLDivLoss("batchmean")` has it on vectors.

    `batchmean` divides by the first dimension, which for a vector is its length; an object whose
    probability is 0 before and after gives 0 · log 0 = NaN.
    """
    p, q = (_normalised(np.asarray(side, dtype=np.float32)) for side in (before, after))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_mean = np.log((p + q) / 2)
        divergences = [np.sum(_x_log_x(side) - side * log_mean) / len(side) for side in (q, p)]
    return float(sum(divergences) / 2)


def jensen_shannon(before: Sequence[float], after: Sequence[float]) -> float:
    """JS(p, q) in bits, 0 to 1, with 0 · log 0 = 0. Neither side may be all zeros."""
    p, q = (np.asarray(side, dtype=np.float64) for side in (before, after))
    p, q = p / p.sum(), q / q.sum()
    mean = (p + q) / 2
    kept = [(side[side > 0], mean[side > 0]) for side in (p, q)]
    bits = sum(float(np.sum(side * np.log2(side / middle))) for side, middle in kept) / 2
    return min(max(bits, 0.0), 1.0)  # rounding may leave the range by 1e-16


def _normalised(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """L1-normalised; as in torch, a sum of almost nothing is taken for 1e-12."""
    return vector / np.maximum(vector.sum(), np.float32(1e-12))


def _x_log_x(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return x * np.log(np.where(x > 0, x, 1))


def _objects(case: Observation, state: StateName) -> list[float]:
    """Over Obj: o1 and the others. The intermediate o* is no part of it."""
    return [case.p(state, "original"), *others(case, state)]


def _authors(case: Observation) -> Value:
    value = js_per_object(_objects(case, "theta0"), _objects(case, "theta_prime"))
    return Guarded("a true object has probability 0 throughout", value) if value != value else value


def _clean(case: Observation) -> Value:
    before, after = _objects(case, "theta0"), _objects(case, "theta_prime")
    if sum(before) == 0 or sum(after) == 0:
        return Guarded("all true objects have probability 0")
    return jensen_shannon(before, after)


D = Metric(
    name="d",
    title="D",
    question="How far did the distribution over the true objects move?",
    increasing=False,
    best=0.0,
    kinds=("round-easy", "round-hard"),
    presets={
        "authors": Definition(
            formula="JS(p_θ(o)/Σp_θ, p_θ'(o)/Σp_θ', o ∈ Obj) / |Obj| in nats",
            source="authors' code: summarize.py, js_div",
            value_range=(0.0, float(np.log(2)) / 2),
            needs=ROUND_TRIP,
            compute=_authors,
        ),
        "clean": Definition(
            formula="JS(p_θ(o)/Σp_θ, p_θ'(o)/Σp_θ', o ∈ Obj) in bits",
            source="paper §3.2, Distortion",
            value_range=(0.0, 1.0),
            needs=ROUND_TRIP,
            compute=_clean,
        ),
    },
)

"""Restored: does the model prefer, after a round trip, what it preferred before?

Succ asks whether o1 wins after the way back. The unedited model itself prefers o* in many cases, so
a way back that restores it exactly does not get the best Succ, and one that overshoots does. This
metric takes the unedited model for the target.
"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.metrics.succ_back import BACK
from pitfalls.metrics.true_objects import ROUND_TRIP
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import ROUND_KINDS, StateName


def _preference(case: Observation, state: StateName) -> int:
    """1 for o1, −1 for o*, 0 for neither."""
    original, intermediate = case.p(state, "original"), case.p(state, "intermediate")
    return (original > intermediate) - (original < intermediate)


def _clean(case: Observation) -> float:
    return vote(_preference(case, "theta_prime") == _preference(case, "theta0"))


RESTORED = Metric(
    name="restored",
    title="Restored",
    question="Does the model prefer the same of the two objects as before the round trip?",
    increasing=True,
    best=1.0,
    kinds=ROUND_KINDS,
    presets={
        "clean": Definition(
            formula="1{sign(p_θ'(o1) − p_θ'(o*)) = sign(p_θ(o1) − p_θ(o*))}; of undo, 1",
            source="this library; amends Succ (paper §3.2)",
            value_range=(0.0, 1.0),
            needs=(*ROUND_TRIP, ("theta0", "intermediate"), *BACK[:1]),
            compute=_clean,
        ),
    },
    absent={"authors": "neither the paper nor the authors' code has it"},
)

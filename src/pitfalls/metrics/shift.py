"""Shift: how far did the other true objects move? IR and FR count them, this one measures."""

import math

from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.metrics.true_objects import ROUND_TRIP, others
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import ROUND_KINDS


def _clean(case: Observation) -> Value:
    before, after = others(case, "theta0"), others(case, "theta_prime")
    if not before:
        return Guarded("the case has no other true object")
    if 0 in before or 0 in after:
        return Guarded("another true object has probability 0")
    moved = [abs(math.log(now) - math.log(was)) for was, now in zip(before, after, strict=True)]
    return sum(moved) / len(moved)


SHIFT = Metric(
    name="shift",
    title="Shift",
    question="By how many nats did the log-probabilities of the other true objects move?",
    increasing=False,
    best=0.0,
    kinds=ROUND_KINDS,
    presets={
        "clean": Definition(
            formula="1/(|Obj|−1) · Σ_{o ∈ Obj∖o1} |ln p_θ'(o) − ln p_θ(o)| in nats, up or down",
            source="this library; the magnitude that Ignore Rate (paper §3.2) leaves out",
            value_range=(0.0, math.inf),
            needs=ROUND_TRIP,
            compute=_clean,
        ),
    },
    absent={"authors": "neither the paper nor the authors' code has it"},
)

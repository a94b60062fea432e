"""CS_exp: the conflict score with the new fact in e2's own words."""

from pitfalls.metrics.cs import newer_wins
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS


def _compute(case: Observation) -> float:
    return newer_wins(case, "new_explicit")


CS_EXP = Metric(
    name="cs_exp",
    title="CS exp",
    question="Is what the newer edit says more probable than what the older says?",
    increasing=True,
    best=1.0,
    kinds=("reverse", "composite"),
    presets=dict.fromkeys(
        PRESETS,
        Definition(
            formula="1{p_θ'(s2, r2, o of e2) > p_θ'(s1, r1, o2)}; prompts and targets differ",
            source="paper §2.2, Conflict Score, explicit",
            value_range=(0.0, 1.0),
            needs=(("theta_prime", "new_explicit"), ("theta_prime", "old")),
            compute=_compute,
        ),
    ),
)

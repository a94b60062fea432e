"""CS_imp: the conflict score with the new fact as it follows from e2, in e1's words."""

from pitfalls.metrics.cs import newer_wins
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS


def _compute(case: Observation) -> float:
    return newer_wins(case, "new_implicit")


CS_IMP = Metric(
    name="cs_imp",
    title="CS imp",
    question="Is what follows from the newer edit more probable than what the older says?",
    increasing=True,
    best=1.0,
    kinds=("reverse", "composite"),
    presets=dict.fromkeys(
        PRESETS,
        Definition(
            formula="1{p_θ'(k_n) > p_θ'(k_o)}; reverse k_n = (s2, r1, o2), composite (s1, r1, o3)",
            source="paper §2.2, Conflict Score, implicit (Eq. 2 and 4)",
            value_range=(0.0, 1.0),
            needs=(("theta_prime", "new_implicit"), ("theta_prime", "old")),
            compute=_compute,
        ),
    ),
)

"""CM, conflict magnitude: how much of the older edit's knowledge did the newer one remove?"""

from pitfalls.metrics.arithmetic import clamped_loss, relative_loss
from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.records.observation import Observation


def _authors(case: Observation) -> Value:
    before = case.p("theta_m", "old")
    # In this order, a NaN stays a NaN.
    value = max(relative_loss(before, case.p("theta_prime", "old")), -1.0)
    return value if before else Guarded("p_θm(k_o) is 0", value)


def _clean(case: Observation) -> Value:
    return clamped_loss(case.p("theta_m", "old"), case.p("theta_prime", "old"), name="p_θm(k_o)")


CM = Metric(
    name="cm",
    title="CM",
    question="Which share of the older fact's probability did the newer edit take away?",
    increasing=True,
    best=1.0,
    kinds=("coverage", "reverse", "composite"),
    presets={
        "authors": Definition(
            formula="max((p_θm(k_o) − p_θ'(k_o)) / p_θm(k_o), −1); 0/0 is NaN and spoils the mean",
            source="paper §2.2, Conflict Magnitude; authors' code: summarize.py (clamp)",
            value_range=(-1.0, 1.0),
            needs=(("theta_m", "old"), ("theta_prime", "old")),
            compute=_authors,
        ),
        "clean": Definition(
            formula="max((p_θm(k_o) − p_θ'(k_o)) / p_θm(k_o), −1); left out if p_θm(k_o) = 0",
            source="paper §2.2, Conflict Magnitude",
            value_range=(-1.0, 1.0),
            needs=(("theta_m", "old"), ("theta_prime", "old")),
            compute=_clean,
        ),
    },
)

"""TFD, tied fact damage: what did the two edits do to the fact that ties them together?"""

from pitfalls.metrics.arithmetic import clamped_loss, relative_loss
from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.records.observation import Observation


def _authors(case: Observation) -> Value:
    before = case.p("theta0", "tied")
    value = relative_loss(before, case.p("theta_prime", "tied"))
    return value if before else Guarded("p_θ0(k_f) is 0", value)


def _clean(case: Observation) -> Value:
    return clamped_loss(case.p("theta0", "tied"), case.p("theta_prime", "tied"), name="p_θ0(k_f)")


TFD = Metric(
    name="tfd",
    title="TFD",
    question="Which share of the tied fact's probability was lost on the way?",
    increasing=False,
    best=0.0,
    kinds=("composite",),
    presets={
        "authors": Definition(
            formula="(p_θ0(k_f) − p_θ'(k_f)) / p_θ0(k_f), without a lower bound",
            source="authors' code: summarize.py, FFD",
            value_range=(float("-inf"), 1.0),
            needs=(("theta0", "tied"), ("theta_prime", "tied")),
            compute=_authors,
        ),
        "clean": Definition(
            formula="max((p_θ0(k_f) − p_θ'(k_f)) / p_θ0(k_f), −1); left out if p_θ0(k_f) = 0",
            source="paper §2.2, Tied Fact Damage; clamped as CM is, or one rare fact decides",
            value_range=(-1.0, 1.0),
            needs=(("theta0", "tied"), ("theta_prime", "tied")),
            compute=_clean,
        ),
    },
)

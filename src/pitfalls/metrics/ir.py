"""IR, ignore rate: how many of the other true objects lost probability?"""

from pitfalls.metrics.arithmetic import decreased_share
from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.metrics.true_objects import ROUND_TRIP, others
from pitfalls.records.observation import Observation


def ignored(case: Observation, *, noise: float = 0.0) -> Value:
    """The share of Obj without o1 that is less probable after the round trip than before."""
    return decreased_share(others(case, "theta0"), others(case, "theta_prime"), noise=noise)


def undefined_as_nan(value: Value) -> Value:
    """The authors' arithmetic does not leave a case out."""
    return Guarded(value.reason, float("nan")) if isinstance(value, Guarded) else value


def _authors(case: Observation) -> Value:
    return undefined_as_nan(ignored(case))


def _clean(case: Observation) -> Value:
    return ignored(case, noise=case.source.noise)


IR = Metric(
    name="ir",
    title="IR",
    question="Which share of the other true objects became less probable?",
    increasing=False,
    best=0.0,
    kinds=("round-easy", "round-hard"),
    presets={
        "authors": Definition(
            formula="1/(|Obj|−1) · Σ_{o ∈ Obj∖o1} 1{p_θ(o) > p_θ'(o)}, however small the decrease",
            source="paper §3.2, Ignore Rate; authors' code: summarize.py",
            value_range=(0.0, 1.0),
            needs=ROUND_TRIP,
            compute=_authors,
        ),
        "clean": Definition(
            formula="1/(|Obj|−1) · Σ_{o ∈ Obj∖o1} 1{p_θ(o) − p_θ'(o) > ε·p_θ(o)}, ε the noise",
            source="paper §3.2, Ignore Rate; ε is 1e-4 for float32 weights, 1e-2 for bfloat16",
            value_range=(0.0, 1.0),
            needs=ROUND_TRIP,
            compute=_clean,
        ),
    },
)

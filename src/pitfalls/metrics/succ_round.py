"""Succ of a round trip: did the way out take, and did the way back?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS


def _compute(case: Observation) -> float:
    out = case.p("theta_m", "intermediate") > case.p("theta_m", "original")
    back = case.p("theta_prime", "original") > case.p("theta_prime", "intermediate")
    return (vote(out) + vote(back)) / 2


SUCC_ROUND = Metric(
    name="succ_round",
    title="Succ",
    question="Does each of the two edits make its own object the more probable one?",
    increasing=True,
    best=1.0,
    kinds=("round-easy", "round-hard"),
    presets=dict.fromkeys(
        PRESETS,
        Definition(
            formula="½·1{p_θm(o*) > p_θm(o1)} + ½·1{p_θ'(o1) > p_θ'(o*)}",
            source="paper §3.2; authors' code: summarize.py (half credits)",
            value_range=(0.0, 1.0),
            needs=(
                ("theta_m", "intermediate"),
                ("theta_m", "original"),
                ("theta_prime", "intermediate"),
                ("theta_prime", "original"),
            ),
            compute=_compute,
        ),
    ),
)

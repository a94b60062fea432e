"""Succ of a round trip: did the way out take, and did the way back?"""

from pitfalls.metrics.metric import Definition, Metric
from pitfalls.metrics.succ_back import BACK, came_back
from pitfalls.metrics.succ_out import OUT, went_out
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS, ROUND_KINDS


def _compute(case: Observation) -> float:
    return (went_out(case) + came_back(case)) / 2


SUCC_ROUND = Metric(
    name="succ_round",
    title="Succ",
    question="Does each of the two edits make its own object the more probable one?",
    increasing=True,
    best=1.0,
    kinds=ROUND_KINDS,
    presets=dict.fromkeys(
        PRESETS,
        Definition(
            formula="½·1{p_θm(o*) > p_θm(o1)} + ½·1{p_θ'(o1) > p_θ'(o*)}",
            source="paper §3.2; authors' code: summarize.py (half credits)",
            value_range=(0.0, 1.0),
            needs=(*OUT, *BACK),
            compute=_compute,
        ),
    ),
)

"""Succ of a single edit: does e2 alone take at all?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation


def _authors(case: Observation) -> float:
    return vote(case.p("theta2", "new") > case.p("theta2", "old"))


def _clean(case: Observation) -> float:
    return vote(case.p("theta2", "new") > case.p("theta2", "true"))


SUCC_SINGLE = Metric(
    name="succ_single",
    title="Succ",
    question="Does a single edit make the new object more probable than what it has to beat?",
    increasing=True,
    best=1.0,
    kinds=("coverage",),
    presets={
        "authors": Definition(
            formula="1{p_θ2(s, r, o3) > p_θ2(s, r, o2)}; o2 is e1's target, unknown to θ2",
            source="authors' code: summarize.py, coverage branch",
            value_range=(0.0, 1.0),
            needs=(("theta2", "new"), ("theta2", "old")),
            compute=_authors,
        ),
        "clean": Definition(
            formula="1{p_θ2(s, r, o3) > p_θ2(s, r, o1)}; o1 is the true object",
            source="paper §2.2, success of a single edit",
            value_range=(0.0, 1.0),
            needs=(("theta2", "new"), ("theta2", "true")),
            compute=_clean,
        ),
    },
)

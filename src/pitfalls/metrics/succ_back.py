"""Succ back: did the way back of a round trip take?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric, Needs
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import ROUND_KINDS

BACK: Needs = (("theta_prime", "intermediate"), ("theta_prime", "original"))
"""Needed to tell whether the way back took."""


def came_back(case: Observation) -> float:
    """1 if o1 is more probable than o* after e2, else 0."""
    return vote(case.p("theta_prime", "original") > case.p("theta_prime", "intermediate"))


SUCC_BACK = Metric(
    name="succ_back",
    title="Succ back",
    question="Does the way back make the original object more probable than the intermediate?",
    increasing=True,
    best=1.0,
    kinds=ROUND_KINDS,
    presets={
        "clean": Definition(
            formula="1{p_θ'(o1) > p_θ'(o*)}; of undo, the share of cases where θ prefers o1",
            source="this library; the second half of Succ (paper §3.2)",
            value_range=(0.0, 1.0),
            needs=BACK,
            compute=came_back,
        ),
    },
    absent={"authors": "the published code adds up both halves of Succ"},
)

"""Succ out: did the way out of a round trip take?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric, Needs
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import ROUND_KINDS

OUT: Needs = (("theta_m", "intermediate"), ("theta_m", "original"))
"""Needed to tell whether the way out took."""


def went_out(case: Observation) -> float:
    """1 if e1 made o* more probable than o1, else 0."""
    return vote(case.p("theta_m", "intermediate") > case.p("theta_m", "original"))


SUCC_OUT = Metric(
    name="succ_out",
    title="Succ out",
    question="Does the way out make the intermediate object more probable than the original?",
    increasing=True,
    best=1.0,
    kinds=ROUND_KINDS,
    presets={
        "clean": Definition(
            formula="1{p_θm(o*) > p_θm(o1)}",
            source="this library; the first half of Succ (paper §3.2)",
            value_range=(0.0, 1.0),
            needs=OUT,
            compute=went_out,
        ),
    },
    absent={"authors": "the published code adds up both halves of Succ"},
)

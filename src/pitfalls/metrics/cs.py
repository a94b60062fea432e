"""CS, conflict score: is the newer knowledge more probable than the older it contradicts?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS


def newer_wins(case: Observation, newer: str) -> float:
    """1{p_θ'(k_n) > p_θ'(k_o)}, strictly: a tie is a failure.

    The authors' result files hold p_θ'(k_o) twice, once beside k_n; what stands there is compared.
    """
    older = case.p("theta_prime", "old_beside_new", "old")
    return vote(case.p("theta_prime", newer) > older)


def _compute(case: Observation) -> float:
    return newer_wins(case, "new")


CS = Metric(
    name="cs",
    title="CS",
    question="After both edits, is the newer fact more probable than the older?",
    increasing=True,
    best=1.0,
    # Reverse and composite only where nobody says which wording of the new fact was read.
    kinds=("coverage", "reverse", "composite"),
    presets=dict.fromkeys(
        PRESETS,
        Definition(
            formula="1{p_θ'(k_n) > p_θ'(k_o)}",
            source="paper §2.2, Conflict Score",
            value_range=(0.0, 1.0),
            needs=(("theta_prime", "new"), ("theta_prime", "old")),
            compute=_compute,
        ),
    ),
)

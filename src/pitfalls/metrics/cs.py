"""CS, conflict score: is the newer knowledge more probable than the older it contradicts?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import PRESETS, CaseKind


def conflict_score(
    name: str,
    *,
    newer: str,
    title: str,
    question: str,
    kinds: tuple[CaseKind, ...],
    formula: str,
    source: str,
) -> Metric:
    """A conflict score: 1{p_θ'(k_n) > p_θ'(k_o)}, strictly, so that a tie is a failure.

    Args:
        name: on the command line.
        newer: probe that reads k_n.
        title: in tables.
        question: that the score answers.
        kinds: of cases that read `newer`.
        formula: for one case.
        source: of the formula.
    """

    def compute(case: Observation) -> float:
        # The authors' result files hold p_θ'(k_o) twice; the one beside k_n is compared with it.
        older = case.p("theta_prime", "old_beside_new", "old")
        return vote(case.p("theta_prime", newer) > older)

    definition = Definition(
        formula=formula,
        source=source,
        value_range=(0.0, 1.0),
        needs=(("theta_prime", newer), ("theta_prime", "old")),
        compute=compute,
    )
    return Metric(
        name=name,
        title=title,
        question=question,
        increasing=True,
        best=1.0,
        kinds=kinds,
        presets=dict.fromkeys(PRESETS, definition),
    )


CS = conflict_score(
    "cs",
    newer="new",
    title="CS",
    question="After both edits, is the newer fact more probable than the older?",
    # Reverse and composite only where nobody says which wording of the new fact was read.
    kinds=("coverage", "reverse", "composite"),
    formula="1{p_θ'(k_n) > p_θ'(k_o)}",
    source="paper §2.2, Conflict Score",
)

"""Soundness of a case, whatever file it came from."""

from pitfalls.cases.case import Case
from pitfalls.cases.kinds.table import KINDS
from pitfalls.cases.kinds.ties import Problem


def first_problem(case: Case) -> Problem | None:
    """The first tie of the case's kind that does not hold; None for a sound case."""
    ties = KINDS[case.kind].ties
    return None if ties is None else next(ties(case), None)

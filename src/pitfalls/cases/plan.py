"""From a case to what has to be done: the states to reach and what to read in each. No torch.

The engine that carries a plan out knows nothing of conflict or distortion: each kind of case plans
for itself, in its own file of `pitfalls.cases.kinds`.
"""

from collections.abc import Iterable

from pitfalls.cases.case import Case
from pitfalls.cases.kinds.table import KINDS
from pitfalls.cases.steps import Plan


def plan(case: Case, *, multi_label: bool = False) -> Plan:
    """The states and probes of `case`.

    Args:
        case: a case of any kind.
        multi_label: Multi-Label Edit (paper §4.4): the way back of a round trip edits towards
            every true object at once instead of o1 alone. It changes nothing for other kinds.
    """
    return KINDS[case.kind].plan(case, multi_label)


def subjects_of(cases: Iterable[Case]) -> frozenset[str]:
    """Ids of all subjects that the cases' plans edit or read about."""
    return frozenset().union(*(plan(case).subjects for case in cases))

"""From a case to what has to be done: the states to reach and what to read in each. No torch.

The engine that carries a plan out knows nothing of conflict or distortion. A new benchmark is a new
function here that returns a `Plan`, and a row in `PLANS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.facts import Edit, Fact
from pitfalls.vocabulary import CaseKind, StateName

Step: TypeAlias = tuple[Edit, ...]
"""Edits made together."""
State: TypeAlias = tuple[Step, ...]
"""Steps made one after the other, starting from the unedited model."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How probable is the fact's object after each prompt of its relation?"""

    name: str
    """What the fact is to its case: `old`, `new_explicit`, `new_implicit`, `tied`, `true` in
    conflict cases; `original`, `intermediate`, `other/0`, `other/1`, … in round trips."""
    fact: Fact

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts with the subject filled in, the rewrite prompt first."""
        subject = self.fact.subject.label
        return tuple(template.format(subject) for template in self.fact.relation.prompts)

    @property
    def target(self) -> str:
        """The text whose probability is read, without the space that goes before it."""
        return self.fact.object.label


@dataclass(frozen=True, slots=True)
class Plan:
    """The states a case needs and, under the same names, the probes to read in each."""

    states: dict[StateName, State]
    probes: dict[StateName, tuple[Probe, ...]]

    @property
    def subjects(self) -> frozenset[str]:
        """Ids of all subjects that are edited or read about in any state."""
        steps = (step for state in self.states.values() for step in state)
        edited = (edit.subject.id for step in steps for edit in step)
        read = (probe.fact.subject.id for probes in self.probes.values() for probe in probes)
        return frozenset((*edited, *read))


def plan(case: Case, *, multi_label: bool = False) -> Plan:
    """What `case` needs.

    Args:
        case: a case of any kind.
        multi_label: Multi-Label Edit (paper §4.4): the way back of a round trip edits towards
            every true object at once instead of o1 alone. It changes nothing for other kinds.
    """
    return PLANS[case.kind](case, multi_label)


def subjects_of(cases: Iterable[Case]) -> frozenset[str]:
    """Ids of all subjects that the cases' plans edit or read about."""
    return frozenset().union(*(plan(case).subjects for case in cases))


def plan_coverage(case: Case, multi_label: bool) -> Plan:
    """e1 = (s, r, o1→o2), e2 = (s, r, o2→o3): does the newer edit hide the older one?"""
    del multi_label
    old = Probe("old", case.first.after)
    new = Probe("new_explicit", case.second.after)
    true = Probe("true", case.first.before)
    everything = (old, new, true)
    return Plan(_pair_states(case), dict.fromkeys(_pair_states(case), everything))


def plan_reverse(case: Case, multi_label: bool) -> Plan:
    """e1 = (s1, r1, o1→o2), e2 = (o2, r2, s1→s2) with r2 the inverse of r1 (paper Eq. 2).

    What e2 implies in e1's words, k_n = (s2, r1, o2), is the implicit new fact.
    """
    del multi_label
    first, second = case.first, case.second
    implied = Fact(second.new_object, first.relation, first.new_object)
    return _logical_plan(case, implied, with_second_alone=False)


def plan_composite(case: Case, multi_label: bool) -> Plan:
    """k_f ∧ k_e1 → k_e2, and both body and head are edited apart (paper Eq. 4).

    What e2 implies in e1's words, k_n = (s1, r1, o3), is the implicit new fact.
    """
    del multi_label
    first, second = case.first, case.second
    implied = Fact(first.subject, first.relation, second.new_object)
    return _logical_plan(case, implied, with_second_alone=True)


def plan_round(case: Case, multi_label: bool) -> Plan:
    """e1 = (s, r, o1→o*), e2 = (s, r, o*→o1): does the way back lead home (paper §3)?"""
    first, second = case.first, case.second
    back = (
        tuple(replace(second, new_object=entity) for entity in case.true_objects)
        if multi_label
        else (second,)
    )
    others = (
        Probe(f"other/{position}", replace(first.before, object=entity))
        for position, entity in enumerate(case.other_objects)
    )
    everything = (
        Probe("original", second.after),
        Probe("intermediate", first.after),
        *others,
    )
    states: dict[StateName, State] = {
        "theta0": (),
        "theta_m": ((first,),),
        "theta_prime": ((first,), back),
    }
    return Plan(states, dict.fromkeys(states, everything))


def _logical_plan(case: Case, implied: Fact, *, with_second_alone: bool) -> Plan:
    """The plan of a pair that a rule connects: explicit, implicit and tied facts in one pass."""
    probes = [
        Probe("old", case.first.after),
        Probe("new_explicit", case.second.after),
        Probe("new_implicit", implied),
    ]
    if case.tied is not None:
        probes.append(Probe("tied", case.tied))
    states = _pair_states(case)
    if not with_second_alone:
        del states["theta2"]
    return Plan(states, dict.fromkeys(states, tuple(probes)))


def _pair_states(case: Case) -> dict[StateName, State]:
    first, second = (case.first,), (case.second,)
    return {"theta0": (), "theta_m": (first,), "theta_prime": (first, second), "theta2": (second,)}


PLANS: dict[CaseKind, Callable[[Case, bool], Plan]] = {
    "coverage": plan_coverage,
    "reverse": plan_reverse,
    "composite": plan_composite,
    "round-easy": plan_round,
    "round-hard": plan_round,
}
"""Case kind → the function that plans it."""

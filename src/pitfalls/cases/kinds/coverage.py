"""Coverage: two edits of one fact. Does the newer hide the older?"""

from collections.abc import Iterator

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit
from pitfalls.cases.kinds import ties
from pitfalls.cases.kinds.kind import Kind, Recipe
from pitfalls.cases.kinds.pair import can_conflict, pair_states, released_conflict
from pitfalls.cases.order import PAPER_RULES, Materials, Order
from pitfalls.cases.released_shapes import CoverageShape
from pitfalls.cases.steps import Plan, Probe

PAPER_RELATIONS = ("P22", "P25", "P40", "P170", "P184", "P185", "P800")
"""The relations of the paper's coverage cases."""


def plan_coverage(case: Case, multi_label: bool) -> Plan:
    """e1 = (s, r, o1→o2), e2 = (s, r, o2→o3): does the newer edit hide the older one?"""
    del multi_label
    old = Probe("old", case.first.after)
    new = Probe("new_explicit", case.second.after)
    true = Probe("true", case.first.before)
    states = pair_states(case)
    return Plan(states, dict.fromkeys(states, (old, new, true)))


def relations_of(order: Order) -> tuple[str, ...]:
    """The relations whose facts are edited twice."""
    if order.relations or order.rules == PAPER_RULES:
        return order.relations or PAPER_RELATIONS
    return tuple(sorted({id for rule in order.rules for id in (rule.body, rule.head)}))


def coverage_drafts(materials: Materials) -> Iterator[Draft]:
    """Every fact of the coverage relations."""
    for id in relations_of(materials.order):
        for fact in materials.facts_of(id):
            if can_conflict(materials, id, fact):
                yield Draft(id, fact, (fact,))


def coverage_case(draft: Draft, materials: Materials) -> Case | None:
    """e1 = (s, r, o1→o2), e2 = (s, r, o2→o3)."""
    kind, targets = materials.kind, materials.targets
    (fact,) = draft.facts
    second = targets.draw(fact, kind, "e1", draft.key)
    third = second and targets.draw(fact, kind, "e2", draft.key, avoid=(second,))
    if second is None or third is None:
        return materials.drop("no new object is left to draw")
    first = edit(fact, second)
    return Case(draft.key, kind, (first, edit(first.after, third)), triples=draft.facts)


@ties.of_pair
def _ties(case: Case) -> Iterator[ties.Problem]:
    yield from ties.same_question(case)
    yield from ties.facts(case, (case.first.before,))
    yield from ties.rule(case, None)


COVERAGE = Kind(
    plan=plan_coverage,
    ties=_ties,
    recipe=Recipe(
        drafts=coverage_drafts,
        finish=coverage_case,
        subjects=relations_of,
        needs=lambda order: frozenset(relations_of(order)),
    ),
    released=released_conflict("coverage", CoverageShape),
)

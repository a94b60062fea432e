"""Reverse: a fact is edited, then its inverse (paper Eq. 2)."""

from collections.abc import Iterator

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit
from pitfalls.cases.kinds import ties
from pitfalls.cases.kinds.kind import Kind, Recipe
from pitfalls.cases.kinds.pair import can_conflict, logical_plan, released_conflict
from pitfalls.cases.order import Materials, Order, bodies, relations_of_rules
from pitfalls.cases.released_shapes import ReverseShape
from pitfalls.cases.steps import Plan
from pitfalls.facts import Fact
from pitfalls.rules.inverse import InverseRule


def plan_reverse(case: Case, multi_label: bool) -> Plan:
    """e1 = (s1, r1, o1→o2), e2 = (o2, r2, s1→s2) with r2 the inverse of r1.

    The implicit new fact is what e2 implies in e1's words, k_n = (s2, r1, o2).
    """
    del multi_label
    first, second = case.first, case.second
    implied = Fact(second.new_object, first.relation, first.new_object)
    return logical_plan(case, implied, with_second_alone=False)


def reverse_drafts(materials: Materials) -> Iterator[Draft]:
    """Every instance of the inverse rules."""
    # A symmetric rule's e2 would be about the very relation that e1 has edited.
    for rule in materials.rules(InverseRule, lambda each: each.body != each.head):
        for body, head in rule.instances(materials.graph):
            if can_conflict(materials, rule.head, body, head):
                yield Draft(str(rule), body, (body, head))


def reverse_case(draft: Draft, materials: Materials) -> Case | None:
    """e1 = (s1, r1, o1→o2), e2 = (o2, r2, s1→s2)."""
    kind, targets = materials.kind, materials.targets
    body, head = draft.facts
    new = targets.draw(body, kind, "e1", draft.key)
    if new is None:
        return materials.drop("no new object is left to draw")
    turned = Fact(new, head.relation, body.subject)
    # What e2 implies in e1's words must be news too, or the pair would not be in conflict.
    known = targets.graph.subjects(body.relation, new)
    last = targets.draw(turned, kind, "e2", draft.key, avoid=(body.object, *known))
    if last is None:
        return materials.drop("no new object is left to draw")
    edits = edit(body, new), edit(turned, last)
    return Case(draft.key, kind, edits, rule=draft.stratum, triples=draft.facts)


@ties.of_pair
def _ties(case: Case) -> Iterator[ties.Problem]:
    first, second = case.edits
    new = "the first edit's new object"
    yield from ties.same("second.subject", second.subject, first.new_object, new)
    yield from ties.old("second.object", second.object, first.subject, "the first edit's subject")
    yield from ties.rule(case, f"{first.relation.id}>{second.relation.id}")
    inverse = Fact(first.before.object, second.relation, first.subject)
    yield from ties.facts(case, (first.before, inverse))


def _subjects(order: Order) -> tuple[str, ...]:
    return bodies(order, InverseRule)


REVERSE = Kind(
    plan=plan_reverse,
    ties=_ties,
    recipe=Recipe(
        drafts=reverse_drafts,
        finish=reverse_case,
        subjects=_subjects,
        needs=relations_of_rules,
        takes_rules=True,
    ),
    released=released_conflict("reverse", ReverseShape),
)

"""Composite: a fact is edited, then another that it implies by way of a third (paper Eq. 4)."""

from collections.abc import Iterator

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit
from pitfalls.cases.kinds import ties
from pitfalls.cases.kinds.kind import Kind, Recipe
from pitfalls.cases.kinds.pair import can_conflict, logical_plan, released_conflict
from pitfalls.cases.order import Materials, Order, bodies, relations_of_rules
from pitfalls.cases.released_shapes import CompositeShape
from pitfalls.cases.steps import Plan
from pitfalls.facts import Fact
from pitfalls.rules.composition import CompositionRule


def plan_composite(case: Case, multi_label: bool) -> Plan:
    """k_f ∧ k_e1 → k_e2, and both body and head are edited apart.

    The implicit new fact is what e2 implies in e1's words, k_n = (s1, r1, o3).
    """
    del multi_label
    first, second = case.first, case.second
    implied = Fact(first.subject, first.relation, second.new_object)
    return logical_plan(case, implied, with_second_alone=True)


def composite_drafts(materials: Materials) -> Iterator[Draft]:
    """Every instance of the composition rules."""
    for rule in materials.rules(CompositionRule):
        for tied, body, head in rule.instances(materials.graph):
            if can_conflict(materials, rule.head, tied, body, head):
                yield Draft(str(rule), body, (tied, body, head))


def composite_case(draft: Draft, materials: Materials) -> Case | None:
    """k_f and e1 = (s1, r1, o1→o2) on its object, e2 = (s2, r2, o1→o3) on its subject."""
    kind, targets = materials.kind, materials.targets
    tied, body, head = draft.facts
    new = targets.draw(body, kind, "e1", draft.key, avoid=(tied.subject,))
    if new is None:
        return materials.drop("no new object is left to draw")
    # What e2 implies in e1's words, (s1, r1, o3), must be news too.
    known = targets.graph.objects(body.subject, body.relation)
    last = targets.draw(head, kind, "e2", draft.key, avoid=(new, body.subject, *known))
    if last is None:
        return materials.drop("no new object is left to draw")
    edits = edit(body, new), edit(head, last)
    return Case(draft.key, kind, edits, rule=draft.stratum, triples=draft.facts, tied=tied)


@ties.of_pair
def _ties(case: Case) -> Iterator[ties.Problem]:
    if len(case.triples) != 3 or case.tied is None or case.tied != case.triples[0]:
        yield "triples", f"has {len(case.triples)}, expected 3: the tied fact, the body, the head"
        return
    tied, (first, second) = case.tied, case.edits
    yield from ties.same("first.subject", first.subject, tied.object, "the tied fact's object")
    yield from ties.same("second.subject", second.subject, tied.subject, "the tied fact's subject")
    yield from ties.rule(case, f"{tied.relation.id}&{first.relation.id}>{second.relation.id}")
    yield from ties.facts(case, (tied, first.before, second.before))


def _subjects(order: Order) -> tuple[str, ...]:
    return bodies(order, CompositionRule)


COMPOSITE = Kind(
    plan=plan_composite,
    ties=_ties,
    recipe=Recipe(
        drafts=composite_drafts,
        finish=composite_case,
        subjects=_subjects,
        needs=relations_of_rules,
        takes_rules=True,
    ),
    released=released_conflict("composite", CompositeShape),
)

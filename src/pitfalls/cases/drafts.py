"""What each kind of case is made of, before it is decided which cases are made.

A recipe lists the drafts that a graph allows and finishes one when its turn comes: it draws the new
objects and gives up on the draft, with None, where nothing is left to draw.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.cases.drawing import Dice, Targets, is_bare_id
from pitfalls.facts import Edit, Entity, Fact
from pitfalls.graph.graph import Graph
from pitfalls.rules.rule import COMPOSITE_RULES, REVERSE_RULES
from pitfalls.vocabulary import CaseKind

COVERAGE_RELATIONS = ("P22", "P25", "P40", "P170", "P184", "P185", "P800")
"""The relations of the paper's coverage cases."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The facts that a case may be made of."""

    stratum: str
    """The rule or relation that the cases are spread over evenly."""
    edited: Fact
    """What the first edit will replace."""
    facts: tuple[Fact, ...]
    """As in `Case.triples`; in a round trip the facts of all true objects."""

    @property
    def key(self) -> str:
        """What tells it from any other draft of its stratum."""
        facts = (self.edited, *self.facts)
        return " ".join(f"{each.subject.id}>{each.object.id}" for each in facts)


Drafts: TypeAlias = Callable[[Graph, CaseKind, Dice], Iterator[Draft]]
Finish: TypeAlias = Callable[[Draft, CaseKind, Targets], Case | None]


def coverage_drafts(graph: Graph, kind: CaseKind, dice: Dice) -> Iterator[Draft]:
    """Every fact of the coverage relations."""
    del kind, dice
    for id in COVERAGE_RELATIONS:
        if id in graph.predicates:
            facts = graph.facts_of(graph.relation(id))
            yield from (Draft(id, fact, (fact,)) for fact in facts if named(fact))


def coverage_case(draft: Draft, kind: CaseKind, targets: Targets) -> Case | None:
    """e1 = (s, r, o1→o2), e2 = (s, r, o2→o3)."""
    (fact,) = draft.facts
    second = targets.draw(fact, kind, "e1", draft.key)
    third = second and targets.draw(fact, kind, "e2", draft.key, avoid=(second,))
    if second is None or third is None:
        return None
    first = edit(fact, second)
    return Case(draft.key, kind, first, edit(first.after, third), triples=draft.facts)


def reverse_drafts(graph: Graph, kind: CaseKind, dice: Dice) -> Iterator[Draft]:
    """Every instance of the inverse rules."""
    del kind, dice
    for rule in REVERSE_RULES:
        for body, head in rule.instances(graph):
            if named(body):
                yield Draft(str(rule), body, (body, head))


def reverse_case(draft: Draft, kind: CaseKind, targets: Targets) -> Case | None:
    """e1 = (s1, r1, o1→o2), e2 = (o2, r2, s1→s2)."""
    body, head = draft.facts
    new = targets.draw(body, kind, "e1", draft.key)
    if new is None:
        return None
    turned = Fact(new, head.relation, body.subject)
    # What e2 implies in e1's words must be news too, or the pair would not be in conflict.
    known = targets.graph.subjects(body.relation, new)
    last = targets.draw(turned, kind, "e2", draft.key, avoid=(body.object, *known))
    if last is None:
        return None
    edits = edit(body, new), edit(turned, last)
    return Case(draft.key, kind, *edits, rule=draft.stratum, triples=draft.facts)


def composite_drafts(graph: Graph, kind: CaseKind, dice: Dice) -> Iterator[Draft]:
    """Every instance of the composition rules."""
    del kind, dice
    for rule in COMPOSITE_RULES:
        for tied, body, head in rule.instances(graph):
            if named(tied) and named(body):
                yield Draft(str(rule), body, (tied, body, head))


def composite_case(draft: Draft, kind: CaseKind, targets: Targets) -> Case | None:
    """k_f and e1 = (s1, r1, o1→o2) on its object, e2 = (s2, r2, o1→o3) on its subject."""
    tied, body, head = draft.facts
    new = targets.draw(body, kind, "e1", draft.key, avoid=(tied.subject,))
    if new is None:
        return None
    # What e2 implies in e1's words, (s1, r1, o3), must be news too.
    known = targets.graph.objects(body.subject, body.relation)
    last = targets.draw(head, kind, "e2", draft.key, avoid=(new, body.subject, *known))
    if last is None:
        return None
    edits = edit(body, new), edit(head, last)
    return Case(draft.key, kind, *edits, rule=draft.stratum, triples=draft.facts, tied=tied)


def edit(old: Fact, new: Entity) -> Edit:
    """The edit that puts `new` in the place of the fact's object."""
    return Edit(old.subject, old.relation, new, old.object)


def named(fact: Fact) -> bool:
    """Whether both ends of the fact have a name."""
    return not is_bare_id(fact.subject.label) and not is_bare_id(fact.object.label)

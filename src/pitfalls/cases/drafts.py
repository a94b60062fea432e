"""What each kind of case is made of, before it is decided which cases are made.

A recipe lists the drafts that a graph allows and finishes one when its turn comes: it draws the new
objects and gives up on the draft, with None, where nothing is left to draw. Whatever is given up is
written off with a reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.cases.drawing import is_bare_id
from pitfalls.cases.order import Materials
from pitfalls.facts import Edit, Entity, Fact


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


Drafts: TypeAlias = Callable[[Materials], Iterator[Draft]]
Finish: TypeAlias = Callable[[Draft, Materials], Case | None]


def coverage_drafts(materials: Materials) -> Iterator[Draft]:
    """Every fact of the coverage relations."""
    for id in materials.order.coverage_relations:
        for fact in materials.facts_of(id):
            if _usable(materials, id, fact):
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
    return Case(draft.key, kind, first, edit(first.after, third), triples=draft.facts)


def reverse_drafts(materials: Materials) -> Iterator[Draft]:
    """Every instance of the inverse rules."""
    for rule in materials.inverse_rules():
        for body, head in rule.instances(materials.graph):
            if _usable(materials, rule.head, body, head):
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
    return Case(draft.key, kind, *edits, rule=draft.stratum, triples=draft.facts)


def composite_drafts(materials: Materials) -> Iterator[Draft]:
    """Every instance of the composition rules."""
    for rule in materials.composition_rules():
        for tied, body, head in rule.instances(materials.graph):
            if _usable(materials, rule.head, tied, body, head):
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
    return Case(draft.key, kind, *edits, rule=draft.stratum, triples=draft.facts, tied=tied)


def _usable(materials: Materials, contested: str, *facts: Fact) -> bool:
    """Whether a conflict can be made of the facts, of which the edits contest one relation."""
    if not all(map(named, facts)):
        materials.drop("an end has no name")
    elif any(fact.subject.id == fact.object.id for fact in facts):
        materials.drop("an end comes up twice")
    elif not materials.excludes(contested):
        materials.drop("its relation allows several objects")
    elif not materials.graph.together(*facts):
        materials.drop("its facts held at different times")
    else:
        return True
    return False


def edit(old: Fact, new: Entity) -> Edit:
    """The edit that puts `new` in the place of the fact's object."""
    return Edit(old.subject, old.relation, new, old.object)


def named(fact: Fact) -> bool:
    """Whether both ends of the fact have a name."""
    return not is_bare_id(fact.subject.label) and not is_bare_id(fact.object.label)

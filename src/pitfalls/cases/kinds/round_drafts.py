"""Recipe of round trips: which true object is edited away, and which one stands in for it."""

from collections.abc import Iterator
from statistics import median

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit, named
from pitfalls.cases.order import PAPER_RULES, Materials, Order
from pitfalls.cases.similarity import closeness, extreme, surroundings
from pitfalls.facts import Entity, Fact

MOST_OBJECTS = 10
"""True objects of a round trip at most, as in the paper; the cost of a case grows with them."""
PAPER_RELATIONS = ("P69", "P136", "P166", "P276", "P279", "P366", "P403", "P674", "P800", "P1411")
"""The 1-to-n relations of the paper's round trips."""


def named_relations(order: Order) -> tuple[str, ...]:
    """The 1-to-n relations that the order names; none if the graph is to show them."""
    return order.relations or (PAPER_RELATIONS if order.rules == PAPER_RULES else ())


def round_drafts(materials: Materials) -> Iterator[Draft]:
    """Subjects of a 1-to-n relation, with the o1 that makes the trip easy or hard.

    Among three and more true objects o1 is the one closest to the others (EASY) or farthest from
    them (HARD). Two are equally close to each other: a pair is EASY if it is closer than the
    median pair of its relation, HARD otherwise, and the dice say which of the two is o1.
    """
    kind, dice = materials.kind, materials.dice
    close, around = kind == "round-easy", surroundings(materials.graph)
    for id in _relations(materials):
        groups = _groups(materials, id)
        scored = [(group, closeness(around, group[0].subject, _objects(group))) for group in groups]
        pairs = [scores[0] for group, scores in scored if len(group) == 2]
        middle = median(pairs) if pairs else 0.0
        for group, scores in scored:
            stratum = f"{id}/{len(group)}"
            if len(group) == 2:
                if (scores[0] > middle) == close:
                    o1 = dice.choose(group, kind, "o1", id, group[0].subject.id)
                    yield Draft(stratum, o1, group)
                else:
                    materials.drop("a pair for the other kind of round trip")
            elif (position := extreme(scores, close=close)) is not None:
                yield Draft(stratum, group[position], group)
            else:
                materials.drop("no true object stands out")


def round_case(draft: Draft, materials: Materials) -> Case | None:
    """e1 = (s, r, o1→o*), e2 = (s, r, o*→o1); o* hangs on s and r alone, as in the paper's data."""
    station = materials.targets.draw(draft.edited, "round")
    if station is None:
        return materials.drop("no new object is left to draw")
    away = edit(draft.edited, station)
    back = edit(away.after, draft.edited.object)
    return Case(draft.key, materials.kind, (away, back), true_objects=_objects(draft.facts))


def _relations(materials: Materials) -> tuple[str, ...]:
    if named_ones := named_relations(materials.order):
        return named_ones
    return tuple(sorted(id for id, found in materials.traits.items() if found.many))


def _objects(group: tuple[Fact, ...]) -> tuple[Entity, ...]:
    return tuple(fact.object for fact in group)


def _groups(materials: Materials, id: str) -> list[tuple[Fact, ...]]:
    """The facts of every subject with two to ten well-named objects under the relation."""
    together: dict[str, list[Fact]] = {}
    for fact in materials.facts_of(id):
        together.setdefault(fact.subject.id, []).append(fact)
    several = [tuple(facts) for facts in together.values() if len(facts) > 1]
    return [facts for facts in several if _usable(materials, facts)]


def _usable(materials: Materials, facts: tuple[Fact, ...]) -> bool:
    names = [materials.graph.names_of(fact.object) for fact in facts]
    if len(facts) > MOST_OBJECTS:
        materials.drop("too many true objects")
    elif not all(map(named, facts)):
        materials.drop("an end has no name")
    elif any(fact.subject.id == fact.object.id for fact in facts):
        materials.drop("an end comes up twice")
    elif len(frozenset[str]().union(*names)) < sum(map(len, names)):
        materials.drop("two true objects share a name")
    else:
        return True
    return False

"""Round trips: there and back again from one of several true objects (paper §3)."""

from collections.abc import Iterator
from statistics import median

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit, named
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.cases.similarity import closeness, extreme, surroundings
from pitfalls.facts import Entity, Fact
from pitfalls.graph.graph import Graph
from pitfalls.vocabulary import CaseKind

ROUND_RELATIONS = ("P69", "P136", "P166", "P276", "P279", "P366", "P403", "P674", "P800", "P1411")
"""The 1-to-n relations of the paper's round trips."""
MOST_OBJECTS = 10
"""True objects of a round trip at most, as in the paper; the cost of a case grows with them."""


def round_drafts(graph: Graph, kind: CaseKind, dice: Dice) -> Iterator[Draft]:
    """Subjects of a 1-to-n relation, with the o1 that makes the trip easy or hard.

    Among three and more true objects o1 is the one closest to the others (EASY) or farthest from
    them (HARD). Two are equally close to each other: a pair is EASY if it is closer than the
    median pair of its relation, HARD otherwise, and the dice say which of the two is o1.
    """
    close, around = kind == "round-easy", surroundings(graph)
    for id in ROUND_RELATIONS:
        groups = _groups(graph, id)
        scored = [(group, closeness(around, group[0].subject, _objects(group))) for group in groups]
        pairs = [scores[0] for group, scores in scored if len(group) == 2]
        middle = median(pairs) if pairs else 0.0
        for group, scores in scored:
            stratum = f"{id}/{len(group)}"
            if len(group) == 2:
                if (scores[0] > middle) == close:
                    o1 = dice.choose(group, kind, "o1", id, group[0].subject.id)
                    yield Draft(stratum, o1, group)
            elif (position := extreme(scores, close=close)) is not None:
                yield Draft(stratum, group[position], group)


def round_case(draft: Draft, kind: CaseKind, targets: Targets) -> Case | None:
    """e1 = (s, r, o1→o*), e2 = (s, r, o*→o1); o* hangs on s and r alone, as in the paper's data."""
    station = targets.draw(draft.edited, "round")
    if station is None:
        return None
    away = edit(draft.edited, station)
    back = edit(away.after, draft.edited.object)
    return Case(draft.key, kind, away, back, true_objects=_objects(draft.facts))


def _objects(group: tuple[Fact, ...]) -> tuple[Entity, ...]:
    return tuple(fact.object for fact in group)


def _groups(graph: Graph, id: str) -> list[tuple[Fact, ...]]:
    """The facts of every subject with two to ten well-named objects under the relation."""
    if id not in graph.predicates:
        return []
    together: dict[str, list[Fact]] = {}
    for fact in graph.facts_of(graph.relation(id)):
        together.setdefault(fact.subject.id, []).append(fact)
    return [
        tuple(facts)
        for facts in together.values()
        if 2 <= len(facts) <= MOST_OBJECTS
        and all(map(named, facts))
        and len({fact.object.label.casefold() for fact in facts}) == len(facts)
    ]

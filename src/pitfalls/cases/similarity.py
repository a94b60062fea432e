"""How close a true object is to the others of its fact: what makes a round trip EASY or HARD.

The paper asks for edit targets that are "semantically associated" with the true labels (EASY) or
not (HARD); which measure it used was never published. Ours is plain counting, so that a split can
be checked by hand and needs no model.

sim(a, b) = ½ J(surroundings) + ½ J(spelling), with J(A, B) = |A ∩ B| / |A ∪ B|
- surroundings: the entity's type and every (direction, relation, neighbour) of it in the graph,
  without the subject of the fact in question, which all its objects share;
- spelling: the trigrams of its label in lower case, padded with one space on either side.

score(o1) = mean of sim(o1, o) over the other true objects o.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import cache
from statistics import fmean
from typing import TypeAlias

from pitfalls.facts import Entity
from pitfalls.graph.graph import Graph

Surroundings: TypeAlias = Callable[[Entity], frozenset[tuple[str, ...]]]


def closeness(around: Surroundings, subject: Entity, objects: Sequence[Entity]) -> list[float]:
    """score(o1) for every o1 of a fact's true objects, at least two, in their order."""
    near = [frozenset(each for each in around(o) if each[-1] != subject.id) for o in objects]
    spelt = [trigrams(each.label) for each in objects]

    def similarity(a: int, b: int) -> float:
        return (jaccard(near[a], near[b]) + jaccard(spelt[a], spelt[b])) / 2

    positions = range(len(objects))
    return [fmean(similarity(a, b) for b in positions if b != a) for a in positions]


def surroundings(graph: Graph) -> Surroundings:
    """A function that says what the graph knows about an entity, as things to share with others.

    It remembers its answers: an object of many facts, a genre for instance, is asked about often.
    """

    @cache
    def around(entity: Entity) -> frozenset[tuple[str, ...]]:
        to = (("to", fact.relation.id, fact.object.id) for fact in graph.outgoing(entity))
        of = (("from", fact.relation.id, fact.subject.id) for fact in graph.incoming(entity))
        return frozenset((("type", graph.type_of(entity)), *to, *of))

    return around


def trigrams(label: str) -> frozenset[str]:
    """Three letters each, as they overlap in the label."""
    padded = f" {label.casefold()} "
    return frozenset(padded[start : start + 3] for start in range(max(1, len(padded) - 2)))


def jaccard(a: Set[object], b: Set[object]) -> float:
    """|a ∩ b| / |a ∪ b|; 0 if both are empty."""
    return len(a & b) / len(a | b) if a or b else 0.0


def extreme(scores: Iterable[float], *, close: bool) -> int | None:
    """Position of the highest score if `close`, else of the lowest; None if all are equal."""
    found = list(scores)
    if max(found) == min(found):
        return None
    return found.index(max(found) if close else min(found))

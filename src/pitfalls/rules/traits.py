"""What sort of relation it is, recognised from the facts: functional, one to many, symmetric.

Only a functional relation makes two objects contradict each other: a father excludes another, a
child does not. Whatever a relation is meant to be, its facts in a graph that is incomplete and not
without mistakes decide, with some room for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pitfalls.facts import Fact, Relation
from pitfalls.graph.graph import Graph

FUNCTIONAL = 0.9
"""Share of subjects with one object at a time that makes a relation functional."""
SYMMETRIC = 0.8
"""Share of facts that hold turned round, of those that can, that makes it symmetric."""
FEWEST = 10
"""Subjects from which on anything is said of a relation at all."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Counts of one relation's facts."""

    facts: int
    subjects: int
    single: int
    """Subjects with one object at a time: no two of their facts may have held together."""
    turned: int
    """Facts (s, o) whose o has facts of the relation, s ≠ o."""
    mutual: int
    """Of these, facts that hold turned round as well."""

    @property
    def functionality(self) -> float:
        """Subjects / facts, as in PARIS and AMIE (Galárraga et al. 2013, §3.2)."""
        return self.subjects / self.facts if self.facts else 0.0

    @property
    def functional(self) -> bool:
        """Whether a subject has one object at a time, as a rule."""
        return self.subjects >= FEWEST and self.single >= FUNCTIONAL * self.subjects

    @property
    def many(self) -> bool:
        """Whether the facts are enough to say that it is not functional."""
        return self.subjects >= FEWEST and not self.functional

    @property
    def symmetric(self) -> bool:
        """Whether its facts hold both ways, as a rule, as far as the graph can know."""
        return self.turned >= FEWEST and self.mutual >= SYMMETRIC * self.turned


def traits(graph: Graph) -> Mapping[str, Traits]:
    """The traits of every relation, by id."""
    return {id: traits_of(graph, each.relation) for id, each in graph.predicates.items()}


def traits_of(graph: Graph, relation: Relation) -> Traits:
    """The traits of one relation."""
    groups: dict[str, list[Fact]] = {}
    turned = mutual = 0
    for fact in graph.facts_of(relation):
        groups.setdefault(fact.subject.id, []).append(fact)
        if fact.subject.id != fact.object.id and (back := graph.objects(fact.object, relation)):
            turned += 1
            mutual += any(each.id == fact.subject.id for each in back)
    single = sum(1 for group in groups.values() if not _contested(graph, group))
    facts = sum(map(len, groups.values()))
    return Traits(facts, len(groups), single, turned, mutual)


def _contested(graph: Graph, group: list[Fact]) -> bool:
    """Whether two facts of a subject may have held together."""
    return any(
        graph.together(one, other) for n, one in enumerate(group) for other in group[n + 1 :]
    )

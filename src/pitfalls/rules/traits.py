"""What sort of relation it is, recognised from the facts: functional, one to many, symmetric.

Only a functional relation makes two objects contradict each other: a father excludes another, a
child does not. Whatever a relation is meant to be, its facts in a graph that is incomplete and not
without mistakes decide, with some room for them.
"""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass

from pitfalls.facts import Fact, Relation
from pitfalls.graph.graph import Graph

FUNCTIONAL = 0.9
"""Share of detailed subjects with one object at a time that makes a relation functional."""
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
    detailed: int = 0
    """Subjects of which the graph gives several objects under some relation, be it another one.

    Only their one object is evidence: a graph that never gives more than one says nothing."""
    detailed_single: int = 0
    """Of these, subjects with one object at a time."""

    @property
    def functionality(self) -> float:
        """Subjects / facts, as in PARIS and AMIE (Galárraga et al. 2013, §3.2)."""
        return self.subjects / self.facts if self.facts else 0.0

    @property
    def functional(self) -> bool:
        """Whether a subject has one object at a time, as a rule, as far as the graph can know."""
        return self.detailed >= FEWEST and self.detailed_single >= FUNCTIONAL * self.detailed

    @property
    def many(self) -> bool:
        """Whether the facts are enough to say that it is not functional."""
        return self.detailed >= FEWEST and not self.functional

    @property
    def symmetric(self) -> bool:
        """Whether its facts hold both ways, as a rule, as far as the graph can know."""
        return self.turned >= FEWEST and self.mutual >= SYMMETRIC * self.turned


def traits(graph: Graph) -> Mapping[str, Traits]:
    """The traits of every relation, by id."""
    counts = Counter((fact.subject.id, fact.relation.id) for fact in graph.facts)
    detailed = frozenset(subject for (subject, _), count in counts.items() if count > 1)
    return {id: _traits_of(graph, each.relation, detailed) for id, each in graph.predicates.items()}


def _traits_of(graph: Graph, relation: Relation, detailed: Set[str]) -> Traits:
    """The traits of one relation.

    Args:
        graph: its facts.
        relation: the relation.
        detailed: subjects that have several objects under some relation.
    """
    groups: dict[str, list[Fact]] = {}
    turned = mutual = 0
    for fact in graph.facts_of(relation):
        groups.setdefault(fact.subject.id, []).append(fact)
        if fact.subject.id != fact.object.id and (back := graph.objects(fact.object, relation)):
            turned += 1
            mutual += any(each.id == fact.subject.id for each in back)
    single = {subject for subject, group in groups.items() if not _contested(graph, group)}
    facts = sum(map(len, groups.values()))
    told = groups.keys() & detailed
    counts = facts, len(groups), len(single), turned, mutual, len(told), len(told & single)
    return Traits(*counts)


def _contested(graph: Graph, group: list[Fact]) -> bool:
    """Whether two facts of a subject may have held together."""
    return any(
        graph.together(one, other) for n, one in enumerate(group) for other in group[n + 1 :]
    )

"""Traits of relations, recognised from their facts: functional, one-to-many, symmetric.

Two objects contradict each other only under a functional relation: a person has one father, but may
have several children. The facts decide, whatever the relation is meant to be; the thresholds allow
for gaps and mistakes in the graph.
"""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass

from pitfalls.facts import Fact, Relation
from pitfalls.graph.graph import Graph

FUNCTIONAL = 0.9
"""Least share of detailed subjects with one object at a time for a functional relation."""
SYMMETRIC = 0.8
"""Least share of reversed facts that hold, among those that can, for a symmetric relation."""
FEWEST = 10
"""Fewest subjects for a statement about a relation."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Counts of one relation's facts."""

    facts: int
    subjects: int
    single: int
    """Subjects with one object at a time: no two of their facts can have held together."""
    turned: int
    """Facts (s, o), s ≠ o, whose o has facts of the relation."""
    mutual: int
    """Facts among `turned` whose reverse (o, s) holds as well."""
    detailed: int = 0
    """Subjects with several objects under some relation, this or another.

    Only for these is a single object evidence: the graph may know just one object of any other."""
    detailed_single: int = 0
    """Detailed subjects with one object at a time under this relation."""

    @property
    def functionality(self) -> float:
        """Subjects / facts, as in PARIS and AMIE (Galárraga et al. 2013, §3.2)."""
        return self.subjects / self.facts if self.facts else 0.0

    @property
    def functional(self) -> bool:
        """Whether subjects usually have one object at a time, as far as the graph shows."""
        return self.detailed >= FEWEST and self.detailed_single >= FUNCTIONAL * self.detailed

    @property
    def many(self) -> bool:
        """Whether there is enough evidence that it is not functional."""
        return self.detailed >= FEWEST and not self.functional

    @property
    def symmetric(self) -> bool:
        """Whether its facts usually hold both ways, as far as the graph shows."""
        return self.turned >= FEWEST and self.mutual >= SYMMETRIC * self.turned


def traits(graph: Graph) -> Mapping[str, Traits]:
    """Traits of every relation, by id."""
    counts = Counter((fact.subject.id, fact.relation.id) for fact in graph.facts)
    detailed = frozenset(subject for (subject, _), count in counts.items() if count > 1)
    return {id: _traits_of(graph, each.relation, detailed) for id, each in graph.predicates.items()}


def _traits_of(graph: Graph, relation: Relation, detailed: Set[str]) -> Traits:
    """Traits of one relation.

    Args:
        graph: the graph.
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

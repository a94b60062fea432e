"""Sorts of objects, so that a new object can be of the same sort as the old one, typed or not."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph, Role

Part: TypeAlias = str | Role | None
"""The type of an entity or else the part that it plays most often; None if it plays no other."""
Kind: TypeAlias = str | tuple[Part, Part] | tuple[Part]
"""A type; for an entity without one, its own part, with or without that of its subjects."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of a graph's objects.

    Of what nobody gave a type, the parts that it plays in facts of other relations tell the kind:
    what is above all a position held is no molecule, though both have subclasses. So do those
    whose object it is: some genres are of films, others of bands.
    """

    graph: Graph
    known: dict[tuple[str, str], tuple[Kind, ...]] = field(default_factory=dict)
    """(relation, object) → its kinds, filled in as they are asked for."""
    roles: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    """Entity → the parts that it plays, likewise."""

    def of(self, fact: Fact) -> tuple[Kind, ...]:
        """The kinds of the fact's object, the narrowest first. By the first two it is found."""
        if type := self.graph.type_of(fact.object):
            return (type,)
        key = fact.relation.id, fact.object.id
        if key not in self.known:
            self.known[key] = self._told_by_parts(fact)
        return self.known[key]

    def _told_by_parts(self, fact: Fact) -> tuple[Kind, ...]:
        parts = self._parts(fact.object, fact.relation) or (None,)
        subjects = self.graph.subjects(fact.relation, fact.object)
        counts = Counter(self._part(each, fact.relation) for each in subjects)
        about = min(counts, key=lambda part: (-counts[part], str(part)), default=None)
        return ((parts[0], about), *((part,) for part in parts))

    def _part(self, entity: Entity, relation: Relation) -> Part:
        if type := self.graph.type_of(entity):
            return type
        return next(iter(self._parts(entity, relation)), None)

    def _parts(self, entity: Entity, relation: Relation) -> tuple[Role, ...]:
        """Parts outside the relation, whose own two ends tell nothing about a kind."""
        if entity.id not in self.roles:
            self.roles[entity.id] = self.graph.roles_of(entity)
        return tuple(role for role in self.roles[entity.id] if role[0] != relation.id)

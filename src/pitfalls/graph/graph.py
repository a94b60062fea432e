"""Knowledge graph in memory: immutable, indexed, and sorted whatever the order of the input.

This file knows no formats. A source reads its own format and supplies ids and labels; `Graph`
resolves and checks them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar, final

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.span import ALWAYS, Span

Triple: TypeAlias = tuple[str, str, str]
"""Ids of subject, relation and object."""
Role: TypeAlias = tuple[str, Literal["subject", "object"]]
"""Role of an entity in facts: the relation's id and the end at which the entity stands."""
Counts: TypeAlias = Mapping[Role, int]
"""Role → number of facts in which an entity has it."""
Wording: TypeAlias = Literal["written", "table", "draft", "unsure"]
"""Origin of prompts: written by a person, the table of Wikidata properties, or a draft from the
label. An `unsure` draft may not be English."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Node:
    """An entity, its type and its aliases."""

    entity: Entity
    type: str = ""
    """`human`, `country`, …; empty where the source does not know."""
    aliases: tuple[str, ...] = ()
    """Other names of the same thing."""

    @property
    def names(self) -> frozenset[str]:
        """Label and aliases in lower case."""
        return frozenset(name.casefold() for name in (self.entity.label, *self.aliases))


@dataclass(frozen=True, slots=True)
class Predicate:
    """A relation and the graph's expectations of its facts."""

    relation: Relation
    many: bool | None = None
    """Whether a subject often has several objects at a time; None if unknown."""
    subject_types: tuple[str, ...] = ()
    """Types that its subjects may have; empty where the source does not know."""
    object_types: tuple[str, ...] = ()
    inverse: tuple[str, ...] = ()
    """Ids of its inverse relations; its own id if it is symmetric."""
    wording: Wording = "written"


@final
class Graph:
    """Entities, relations and facts. Everything it returns is sorted by id.

    Args:
        nodes: the entities.
        predicates: the relations.
        triples: the facts; duplicates count once.
        spans: when a fact held, where that is known; a fact may have held more than once.
        also_true: triples that are true, or arguably true, but are not among the facts.
        roles: entity → its roles in the larger graph that this one is a part of.

    Raises:
        PitfallsError: two nodes or predicates share an id, or a triple names an unknown one.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        predicates: Iterable[Predicate],
        triples: Iterable[Triple],
        spans: Mapping[Triple, tuple[Span, ...]] = MappingProxyType({}),
        also_true: Iterable[Triple] = (),
        roles: Mapping[str, Counts] = MappingProxyType({}),
    ) -> None:
        self._nodes = _by_id("entity", ((node.entity.id, node) for node in nodes))
        self._predicates = _by_id("relation", ((each.relation.id, each) for each in predicates))
        self.facts: tuple[Fact, ...] = tuple(map(self._resolve, sorted(set(triples), key=_order)))
        """All facts, sorted by relation, subject and object."""
        self.also_true: tuple[Fact, ...] = tuple(
            map(self._resolve, sorted(set(also_true), key=_order))
        )
        """Triples that must not be used as false ones either; sorted like the facts."""
        self._also = _index(((f.subject.id, f.relation.id), f.object) for f in self.also_true)
        self._roles = roles
        self._spans = {
            triple: tuple(sorted(set(found), key=repr)) for triple, found in spans.items()
        }

    # Indices are built on first use: for a large graph each takes seconds.

    @cached_property
    def _objects(self) -> Mapping[tuple[str, str], tuple[Entity, ...]]:
        return _index(((f.subject.id, f.relation.id), f.object) for f in self.facts)

    @cached_property
    def _subjects(self) -> Mapping[tuple[str, str], tuple[Entity, ...]]:
        return _index(((f.relation.id, f.object.id), f.subject) for f in self.facts)

    @cached_property
    def _facts(self) -> Mapping[str, tuple[Fact, ...]]:
        return _index((f.relation.id, f) for f in self.facts)

    @cached_property
    def _outgoing(self) -> Mapping[str, tuple[Fact, ...]]:
        return _index((f.subject.id, f) for f in self.facts)

    @cached_property
    def _incoming(self) -> Mapping[str, tuple[Fact, ...]]:
        return _index((f.object.id, f) for f in self.facts)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Entities by id, including those without facts."""
        return self._nodes

    @property
    def predicates(self) -> Mapping[str, Predicate]:
        """Relations by id."""
        return self._predicates

    def relation(self, id: str) -> Relation:
        """The relation of that id.

        Raises:
            UnknownNameError: the graph has none.
        """
        if id not in self._predicates:
            raise UnknownNameError("relation", id, self._predicates)
        return self._predicates[id].relation

    def type_of(self, entity: Entity) -> str:
        """Type of the entity; empty if unknown."""
        return self._nodes[entity.id].type if entity.id in self._nodes else ""

    @property
    def typed(self) -> int:
        """Number of entities that have a type."""
        return sum(1 for node in self._nodes.values() if node.type)

    def roles_of(self, entity: Entity) -> tuple[Role, ...]:
        """Roles of the entity in facts, most frequent first."""
        counts = self._roles.get(entity.id)
        if counts is None:
            counts = Counter[Role]((fact.relation.id, "object") for fact in self.incoming(entity))
            counts.update((fact.relation.id, "subject") for fact in self.outgoing(entity))
        return tuple(sorted(counts, key=lambda role: (-counts[role], role)))

    def names_of(self, entity: Entity) -> frozenset[str]:
        """Its label and aliases in lower case."""
        known = self._nodes.get(entity.id)
        return known.names if known else frozenset((entity.label.casefold(),))

    def spans_of(self, fact: Fact) -> tuple[Span, ...]:
        """Spans in which the fact held; always, unless the source says otherwise."""
        return self._spans.get((fact.subject.id, fact.relation.id, fact.object.id), (ALWAYS,))

    def together(self, *facts: Fact) -> bool:
        """Whether all of the facts may have held on the same day."""
        dated = [spans for fact in facts if (spans := self.spans_of(fact)) != (ALWAYS,)]
        return any(
            all(one.overlaps(other) for one, other in combinations(chosen, 2))
            for chosen in product(*dated)
        )

    def objects(self, subject: Entity, relation: Relation) -> tuple[Entity, ...]:
        """Every o with (subject, relation, o)."""
        return self._objects.get((subject.id, relation.id), ())

    def also_objects(self, subject: Entity, relation: Relation) -> tuple[Entity, ...]:
        """Every o with (subject, relation, o) in `also_true`."""
        return self._also.get((subject.id, relation.id), ())

    def subjects(self, relation: Relation, object: Entity) -> tuple[Entity, ...]:
        """Every s with (s, relation, object)."""
        return self._subjects.get((relation.id, object.id), ())

    def facts_of(self, relation: Relation) -> tuple[Fact, ...]:
        """Every fact of the relation, sorted by subject and then object."""
        return self._facts.get(relation.id, ())

    def outgoing(self, entity: Entity) -> tuple[Fact, ...]:
        """Every fact whose subject is the entity."""
        return self._outgoing.get(entity.id, ())

    def incoming(self, entity: Entity) -> tuple[Fact, ...]:
        """Every fact whose object is the entity."""
        return self._incoming.get(entity.id, ())

    def __contains__(self, fact: Fact) -> bool:
        return fact.object in self.objects(fact.subject, fact.relation)

    def __len__(self) -> int:
        return len(self.facts)

    def _resolve(self, triple: Triple) -> Fact:
        subject, relation, object = triple
        for id, table, what in (
            (subject, self._nodes, "subject"),
            (relation, self._predicates, "relation"),
            (object, self._nodes, "object"),
        ):
            if id not in table:
                raise PitfallsError(f"fact {' '.join(triple)}: its {what} {id} is not in the graph")
        return Fact(
            self._nodes[subject].entity,
            self._predicates[relation].relation,
            self._nodes[object].entity,
        )


def true_triples(graph: Graph) -> frozenset[Triple]:
    """All triples that the graph considers true: its facts and `also_true`."""
    return frozenset(
        (fact.subject.id, fact.relation.id, fact.object.id)
        for fact in (*graph.facts, *graph.also_true)
    )


def _order(triple: Triple) -> Triple:
    subject, relation, object = triple
    return relation, subject, object


def _by_id(what: str, items: Iterable[tuple[str, _Value]]) -> Mapping[str, _Value]:
    table: dict[str, _Value] = {}
    for id, item in sorted(items, key=lambda pair: pair[0]):
        if table.setdefault(id, item) != item:
            raise PitfallsError(f"{what} {id} is described twice, and differently: {item}")
    return MappingProxyType(table)


def _index(pairs: Iterable[tuple[_Key, _Value]]) -> Mapping[_Key, tuple[_Value, ...]]:
    table: dict[_Key, list[_Value]] = {}
    for key, value in pairs:
        table.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in table.items()}

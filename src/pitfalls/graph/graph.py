"""A knowledge graph held in memory: immutable, indexed, and in one order whatever order it came in.

Where entities, relations and triples come from is no concern of this file: a source reads its own
format, gives ids and labels, and lets `Graph` resolve and check them.
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
"""A relation's id and an end of it: a part that an entity plays in facts."""
Counts: TypeAlias = Mapping[Role, int]
"""In how many facts it is played."""
Wording: TypeAlias = Literal["written", "table", "draft", "unsure"]
"""Where prompts are from: a person, the table of Wikidata's properties, or a label. Of a draft that
is `unsure` nobody knows whether it is English."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Node:
    """An entity and what kind of thing it is."""

    entity: Entity
    type: str = ""
    """`human`, `country`, …; empty where the source does not know."""
    aliases: tuple[str, ...] = ()
    """Other names of the same thing."""

    @property
    def names(self) -> frozenset[str]:
        """Everything it is called, whatever the case of the letters."""
        return frozenset(name.casefold() for name in (self.entity.label, *self.aliases))


@dataclass(frozen=True, slots=True)
class Predicate:
    """A relation and what the graph expects of its facts."""

    relation: Relation
    many: bool | None = None
    """Whether a subject may well have several objects at a time; None where nobody knows."""
    subject_types: tuple[str, ...] = ()
    """Types of subject that it is asked of; empty where the source does not know."""
    object_types: tuple[str, ...] = ()
    inverse: tuple[str, ...] = ()
    """Relations that hold the other way round, by id; its own if it is symmetric."""
    wording: Wording = "written"


@final
class Graph:
    """Entities, relations and facts. Everything it returns is sorted by id.

    Args:
        nodes: the entities.
        predicates: the relations.
        triples: the facts; one that is given twice counts once.
        spans: when a fact held, where that is known; a fact may have held more than once.
        also_true: what is true, or arguably so, and is still none of the facts.
        roles: entity → the parts that it plays in the graph that this one was cut out of.

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
        """No facts, but not to be drawn as something false either; sorted like the facts."""
        self._also = _index(((f.subject.id, f.relation.id), f.object) for f in self.also_true)
        self._roles = roles
        self._spans = {
            triple: tuple(sorted(set(found), key=repr)) for triple, found in spans.items()
        }

    # Each index is made when it is first asked for: of a large graph it takes seconds.

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
        """Entities and their types by id, those without any fact included."""
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
        """What kind of thing the entity is; empty if nobody said."""
        return self._nodes[entity.id].type if entity.id in self._nodes else ""

    @property
    def typed(self) -> int:
        """How many entities have a type."""
        return sum(1 for node in self._nodes.values() if node.type)

    def roles_of(self, entity: Entity) -> tuple[Role, ...]:
        """The parts that it plays in facts, the commonest first."""
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
        """When the fact held; always, unless the source says otherwise."""
        return self._spans.get((fact.subject.id, fact.relation.id, fact.object.id), (ALWAYS,))

    def together(self, *facts: Fact) -> bool:
        """Whether there may have been a day on which all of the facts held."""
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
        """Every fact of the relation, by subject and then object."""
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
    """Everything that the graph holds to be true: its facts and what is also true."""
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

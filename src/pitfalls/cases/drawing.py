"""Chance for the builder: the same names always draw the same lot, on every machine and version."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pitfalls.cases.object_kinds import Kind, Kinds
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph

_T = TypeVar("_T")
_BARE_ID = re.compile(r"[QP]\d+")


@dataclass(frozen=True, slots=True)
class Dice:
    """Draws from a digest of the seed and of the purpose of the draw.

    Python promises the sequence of `random.random()` across versions but not that of `choice` or
    `shuffle`; and a lot that hangs on names alone is not moved by another fact in the graph.
    """

    seed: int

    def roll(self, *names: str) -> int:
        """A large number for these names."""
        text = "\x1f".join((str(self.seed), *names))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")

    def choose(self, items: Sequence[_T], *names: str) -> _T:
        """One of the items; there must be at least one."""
        return items[self.roll(*names) % len(items)]


@dataclass(frozen=True, slots=True)
class Pool:
    """Entities to draw from, in the order of ids, and where each name stands."""

    entities: tuple[Entity, ...]
    positions: Mapping[str, tuple[int, ...]]
    """Name in lower case, label or alias → positions of all that are called so."""

    @classmethod
    def of(cls, graph: Graph, entities: Collection[Entity]) -> "Pool":
        """A pool of these entities under all their names."""
        in_order = tuple(sorted(entities, key=lambda each: each.id))
        positions: dict[str, list[int]] = {}
        for position, entity in enumerate(in_order):
            for name in graph.names_of(entity):
                positions.setdefault(name, []).append(position)
        return cls(in_order, {name: tuple(found) for name, found in positions.items()})


@dataclass(frozen=True, slots=True)
class Targets:
    """New objects to edit towards: whatever the relation has elsewhere as an object."""

    graph: Graph
    kinds: Kinds
    dice: Dice
    pools: dict[str, Mapping[Kind, Pool]] = field(default_factory=dict)
    """Relation id → its objects by kind, filled in as relations are drawn for."""

    @classmethod
    def of(cls, graph: Graph, dice: Dice) -> "Targets":
        """The targets that a graph has to offer."""
        return cls(graph, Kinds(graph), dice)

    def pools_of(self, relation: Relation) -> Mapping[Kind, Pool]:
        """The objects of a relation that have a name, by kind."""
        if relation.id not in self.pools:
            found: dict[Kind, dict[str, Entity]] = {}
            for fact in self.graph.facts_of(relation):
                for kind in () if is_bare_id(fact.object.label) else self.kinds.of(fact)[:2]:
                    found.setdefault(kind, {})[fact.object.id] = fact.object
            pools = {kind: Pool.of(self.graph, each.values()) for kind, each in found.items()}
            self.pools[relation.id] = pools
        return self.pools[relation.id]

    def draw(self, old: Fact, *names: str, avoid: Collection[Entity] = ()) -> Entity | None:
        """A new object in the place of `old.object`, or None if nothing is left to draw.

        It is an object of the same relation elsewhere and of the old object's kind, so that the
        edit is false but makes sense. If nobody said what the old object is, kinds are tried in
        turn until something is left, never everything that the relation has. It is never the
        subject, never a true object of (s, r), nothing in `avoid`, and shares no name, label or
        alias, with any of these. A lot that falls on what is also true goes to the next in line,
        so that no other draw changes with that list.

        Args:
            old: what the edit replaces.
            *names: what the draw is for, beside the subject and the relation.
            avoid: entities that would make the case degenerate or ambiguous.
        """
        true = self.graph.objects(old.subject, old.relation)
        taboo = {each.id: each for each in (old.subject, old.object, *true, *avoid)}
        # An entity has its own names, so whatever is taboo is found by them.
        called = {name for each in taboo.values() for name in self.graph.names_of(each)}
        lot = self.dice.roll(*names, old.subject.id, old.relation.id)
        also = self.graph.also_objects(old.subject, old.relation)
        pools = self.pools_of(old.relation)
        for pool in (pools[kind] for kind in self.kinds.of(old) if kind in pools):
            out = sorted({place for name in called for place in pool.positions.get(name, ())})
            left = len(pool.entities) - len(out)
            in_line = (pool.entities[_skip((lot + n) % left, out)] for n in range(left))
            if (found := next((each for each in in_line if each not in also), None)) is not None:
                return found
        return None


def _skip(position: int, out: Sequence[int]) -> int:
    """Where the item at `position` of the rest stands, `out` being taken out, in rising order."""
    for gone in out:
        if gone <= position:
            position += 1
    return position


def is_bare_id(label: str) -> bool:
    """Whether a label is an id, because the entity has no name."""
    return _BARE_ID.fullmatch(label) is not None

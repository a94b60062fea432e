"""Chance for the builder: the same names always draw the same lot, on every machine and version."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pitfalls.facts import Entity, Fact
from pitfalls.graph.graph import Graph

_T = TypeVar("_T")
_BARE_ID = re.compile(r"[QP]\d+")


@dataclass(frozen=True, slots=True)
class Dice:
    """Draws from a digest of the seed and of what is drawn for.

    Python promises the sequence of `random.random()` across versions but not that of `choice` or
    `shuffle`; and a lot that hangs on names alone is not moved by another fact in the graph.
    """

    seed: int

    def roll(self, *names: str) -> int:
        """A large number for these names."""
        text = "\x1f".join((str(self.seed), *names))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")

    def choose(self, items: Sequence[_T], *names: str) -> _T:
        """One of the items, of which there must be some."""
        return items[self.roll(*names) % len(items)]


@dataclass(frozen=True, slots=True)
class Targets:
    """New objects to edit towards: whatever the relation has elsewhere as an object."""

    graph: Graph
    dice: Dice
    ranges: Mapping[tuple[str, str], tuple[Entity, ...]]
    """(relation id, entity type) → the relation's objects of that type."""

    @classmethod
    def of(cls, graph: Graph, dice: Dice) -> "Targets":
        """The targets that a graph has to offer."""
        ranges: dict[tuple[str, str], dict[str, Entity]] = {}
        for fact in graph.facts:
            if not is_bare_id(fact.object.label):
                key = (fact.relation.id, graph.type_of(fact.object))
                ranges.setdefault(key, {})[fact.object.id] = fact.object
        in_order = {key: tuple(found[id] for id in sorted(found)) for key, found in ranges.items()}
        return cls(graph, dice, in_order)

    def draw(self, old: Fact, *names: str, avoid: Collection[Entity] = ()) -> Entity | None:
        """A new object in the place of `old.object`, or None if nothing is left to draw.

        It has the old object's type and is an object of the same relation elsewhere, so that the
        edit is false but makes sense. It is never the subject, never a true object of (s, r),
        nothing in `avoid`, and shares its label with none of these.

        Args:
            old: what the edit replaces.
            *names: what the draw is for, beside the subject and the relation.
            avoid: entities that would make the case degenerate or ambiguous.
        """
        true = self.graph.objects(old.subject, old.relation)
        taboo = (old.subject, old.object, *true, *avoid)
        ids, labels = {each.id for each in taboo}, {each.label.casefold() for each in taboo}
        pool = self.ranges.get((old.relation.id, self.graph.type_of(old.object)), ())
        left = [each for each in pool if each.id not in ids and each.label.casefold() not in labels]
        if not left:
            return None
        return self.dice.choose(left, *names, old.subject.id, old.relation.id)


def is_bare_id(label: str) -> bool:
    """Whether a label is an id because nobody gave the entity a name."""
    return _BARE_ID.fullmatch(label) is not None

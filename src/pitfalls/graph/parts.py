"""What every source gives, collected until it can be made into a graph.

A source adds what it reads in any order. `graph` leaves out, and counts, whatever cannot be used: a
fact about something without a label, a date that is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.lines import BadLines
from pitfalls.graph.sink import FACTS, WORDS
from pitfalls.graph.span import ALWAYS, Span, parse_span
from pitfalls.graph.worded import worded


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a graph that is being read."""

    bad: BadLines = field(default_factory=BadLines)
    labels: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    """Entity → everything that it is an instance of."""
    spans: dict[Triple, list[Span]] = field(default_factory=dict)
    """The facts in order of appearance and when each held."""
    passes = (WORDS, FACTS)  # a label may come after the facts that need it

    def name(self, where: str, id: str, label: str) -> None:
        """Give an entity or relation its label; the first one stays."""
        if self.labels.setdefault(id, label) != label:
            self.bad.add(where, "a second label for the same id")

    def alias(self, id: str, alias: str) -> None:
        """Give it another name."""
        self.aliases.setdefault(id, []).append(alias)

    def type(self, id: str, type: str) -> None:
        """Say what an entity is an instance of; it may be several things."""
        self.types.setdefault(id, []).append(type)

    def fact(self, where: str, triple: Triple, start: str = "", end: str = "") -> None:
        """Add a fact and when it held, as texts of Wikidata's form."""
        if (span := parse_span(start, end)) is None:
            self.bad.add(where, "not a span of time")
            return
        for id, what in ((triple[0], "subject"), (triple[2], "object")):
            if id not in self.labels:
                self.bad.add(where, f"the {what} has no label")
                return
        self.spans.setdefault(triple, []).append(span)

    def graph(self, wordings: Mapping[str, Predicate]) -> Graph:
        """The graph of all facts, relations worded by `wordings` or else by draft.

        Raises:
            PitfallsError: there is not a single fact.
        """
        if not self.spans:
            raise no_facts(self.bad)
        ends = {id for triple in self.spans for id in (triple[0], triple[2])}
        size = Counter(type for id in ends for type in self.types.get(id, ()))
        nodes = [self._node(id, size) for id in ends]
        named = {
            id: (self.labels.get(id, ""), self.aliases.get(id, ()))
            for id in sorted({triple[1] for triple in self.spans})
        }
        predicates = worded(named, wordings, self.bad)
        kept = {triple: found for triple, found in self.spans.items() if triple[1] in predicates}
        return Graph(nodes, predicates.values(), *settled(kept))

    def _node(self, id: str, size: Counter[str]) -> Node:
        # Of several types the commonest: "human" says more about what can stand in a place than
        # "member of a crew" does.
        type = min(self.types.get(id, ()), key=lambda each: (-size[each], each), default="")
        aliases = tuple(sorted(set(self.aliases.get(id, ()))))
        return Node(Entity(id, self.labels[id]), self.labels.get(type, type), aliases)


def settled(
    spans: Mapping[Triple, Sequence[Span]],
) -> tuple[list[Triple], dict[Triple, tuple[Span, ...]]]:
    """The triples, and when those held that did not always hold."""
    dated = {triple: tuple(found) for triple, found in spans.items() if ALWAYS not in found}
    return list(spans), dated


def no_facts(bad: BadLines) -> PitfallsError:
    """What to tell the user when nothing of a source could be used."""
    why = "; ".join(bad.lines()) or "the source is empty"
    return PitfallsError(f"the graph has no facts: {why}")

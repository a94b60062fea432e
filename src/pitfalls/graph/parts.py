"""Labels, aliases, types and facts of a source, collected in memory until the graph is built.

A source adds them in any order. Facts with an unlabelled end or an invalid date are left out and
counted.
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
    """Contents of a graph that is being read."""

    bad: BadLines = field(default_factory=BadLines)
    labels: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    """Entity → its types (instance of)."""
    spans: dict[Triple, list[Span]] = field(default_factory=dict)
    """Facts in order of appearance, with the spans in which each held."""
    passes = (WORDS, FACTS)  # a label may come after the facts that need it

    def name(self, where: str, id: str, label: str) -> None:
        """Give an entity or relation its label; the first one stays."""
        if self.labels.setdefault(id, label) != label:
            self.bad.add(where, "a second label for the same id")

    def alias(self, id: str, alias: str) -> None:
        """Add an alias of an entity or relation."""
        self.aliases.setdefault(id, []).append(alias)

    def type(self, id: str, type: str) -> None:
        """Add a type of an entity; it may have several."""
        self.types.setdefault(id, []).append(type)

    def fact(self, where: str, triple: Triple, start: str = "", end: str = "") -> None:
        """Add a fact with its start and end, as dates in Wikidata's form."""
        if (span := parse_span(start, end)) is None:
            self.bad.add(where, "not a span of time")
            return
        for id, what in ((triple[0], "subject"), (triple[2], "object")):
            if id not in self.labels:
                self.bad.add(where, f"the {what} has no label")
                return
        self.spans.setdefault(triple, []).append(span)

    def graph(self, wordings: Mapping[str, Predicate]) -> Graph:
        """Build the graph; relations get their prompts from `wordings` or else a draft.

        Raises:
            PitfallsError: there are no facts.
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
        # Of several types the most frequent: "human" says more about which entities can replace
        # this one than "member of a crew" does.
        type = min(self.types.get(id, ()), key=lambda each: (-size[each], each), default="")
        aliases = tuple(sorted(set(self.aliases.get(id, ()))))
        return Node(Entity(id, self.labels[id]), self.labels.get(type, type), aliases)


def settled(
    spans: Mapping[Triple, Sequence[Span]],
) -> tuple[list[Triple], dict[Triple, tuple[Span, ...]]]:
    """All triples, and the spans of those that did not always hold."""
    dated = {triple: tuple(found) for triple, found in spans.items() if ALWAYS not in found}
    return list(spans), dated


def no_facts(bad: BadLines) -> PitfallsError:
    """Error for a source without any usable fact."""
    why = "; ".join(bad.lines()) or "the source is empty"
    return PitfallsError(f"the graph has no facts: {why}")

"""Destination of what a source reads: memory (`Parts`) or disk (`StoreWriter`)."""

from typing import Literal, Protocol, TypeAlias, runtime_checkable

from pitfalls.graph.graph import Triple
from pitfalls.graph.lines import BadLines

Told: TypeAlias = Literal["fact", "label", "alias", "type"]
"""Content of one statement of a source."""
WORDS: frozenset[Told] = frozenset({"label", "alias", "type"})
FACTS: frozenset[Told] = frozenset({"fact"})
EVERYTHING = WORDS | FACTS


@runtime_checkable
class Sink(Protocol):
    """Accepts the statements of a source in any order."""

    @property
    def bad(self) -> BadLines:
        """Collects the lines left out."""
        ...

    @property
    def passes(self) -> tuple[frozenset[Told], ...]:
        """Statements to deliver in each pass over a source that mixes names and facts."""
        ...

    def name(self, where: str, id: str, label: str) -> None:
        """Give an entity or relation its label; the first one stays."""
        ...

    def alias(self, id: str, alias: str) -> None:
        """Add an alias of an entity or relation."""
        ...

    def type(self, id: str, type: str) -> None:
        """Add a type of an entity (instance of)."""
        ...

    def fact(self, where: str, triple: Triple, start: str = "", end: str = "") -> None:
        """Add a fact with its start and end, as dates in Wikidata's form."""
        ...

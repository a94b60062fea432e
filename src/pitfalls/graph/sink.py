"""Where a source puts what it reads: into memory (`Parts`) or onto the disk (`StoreWriter`)."""

from typing import Literal, Protocol, TypeAlias, runtime_checkable

from pitfalls.graph.graph import Triple
from pitfalls.graph.lines import BadLines

Told: TypeAlias = Literal["fact", "label", "alias", "type"]
"""What one statement of a source may tell."""
WORDS: frozenset[Told] = frozenset({"label", "alias", "type"})
FACTS: frozenset[Told] = frozenset({"fact"})
EVERYTHING = WORDS | FACTS


@runtime_checkable
class Sink(Protocol):
    """Takes what a source tells, in any order."""

    @property
    def bad(self) -> BadLines:
        """Told of every line that is left out."""
        ...

    @property
    def passes(self) -> tuple[frozenset[Told], ...]:
        """What to tell in each reading of a source in which names and facts are mixed."""
        ...

    def name(self, where: str, id: str, label: str) -> None:
        """Give an entity or relation its label; the first one stays."""
        ...

    def alias(self, id: str, alias: str) -> None:
        """Another name of an entity or relation."""
        ...

    def type(self, id: str, type: str) -> None:
        """Something that an entity is an instance of."""
        ...

    def fact(self, where: str, triple: Triple, start: str = "", end: str = "") -> None:
        """A fact and when it held, as texts of Wikidata's form."""
        ...

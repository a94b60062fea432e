"""The interface of every kind of rule, and how rules of the usual form are spelled."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only when something is mined
    Table: TypeAlias = object


class Rule(ABC):
    """A logical rule about relations: where the facts of its body hold, its head follows.

    A kind of rule is a frozen dataclass that derives from this, whose fields are relation ids, and
    a row of `RULE_KINDS`. `parse` reads what `str` writes.
    """

    __slots__ = ()

    sorts: ClassVar[tuple[str, ...]]
    """Names for rules of the kind: that of the kind, then those of its special cases."""
    example: ClassVar[str]
    """A rule in the kind's notation, for error lines."""
    mark: ClassVar[str] = ">"
    """Part of every rule in the notation; a word that has it is taken for a rule, not a file."""

    body: str
    """Relation of the fact in the body from which the head follows."""
    head: str
    """Relation of the fact that follows."""

    @abstractmethod
    def __str__(self) -> str:
        """The rule in the kind's notation."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> "Rule | None":
        """Rule that the text spells in the kind's notation; None if it has another form."""

    @property
    def sort(self) -> str:
        """One of `sorts`."""
        return self.sorts[0]

    @property
    @abstractmethod
    def relations(self) -> tuple[str, ...]:
        """Ids of all its relations."""

    @abstractmethod
    def instances(self, graph: Graph) -> Iterator[tuple[Fact, ...]]:
        """All instances in the graph, in its order: the facts of the body, then the head.

        A graph that lacks one of the relations has no instances.
        """

    @abstractmethod
    def words(self, label: Callable[[str], str]) -> str:
        """The rule for people, such as `father(x, y) → child(y, x)`.

        Args:
            label: from a relation's id to its label.
        """

    @abstractmethod
    def wrong(self, facts: Callable[[str], Table]) -> Table:
        """A wrong prediction about an entity that has other facts of the head's relation.

        Args:
            facts: from a relation's id to its facts, as in `pitfalls.rules.joins`.

        Returns:
            At most one row, whose columns are the entities x, y, … in the order of `words`.
        """

    def declared(self, inverses: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether the graph declares body and head inverses of each other, whatever the facts say.

        Args:
            inverses: relation → its declared inverses.
        """
        del inverses
        return False


def ids_of_clause(text: str) -> tuple[str, ...]:
    """Relation ids of `P22>P40`, `P40&P25>P26` and so on; none if the text has another form."""
    bodies, arrow, head = text.partition(">")
    ids = (*bodies.split("&"), head)
    return ids if arrow and all(map(_is_id, ids)) else ()


def _is_id(text: str) -> bool:
    return bool(text) and not set("&>").intersection(text) and not any(map(str.isspace, text))

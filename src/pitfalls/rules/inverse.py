"""Inverse rules: a fact implies another one with subject and object exchanged."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph
from pitfalls.rules.joins import wrong_inverses
from pitfalls.rules.rule import Rule, ids_of_clause

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only when something is mined
    Table: TypeAlias = object


@dataclass(frozen=True, slots=True)
class InverseRule(Rule):
    """`P22>P40`: body(s, o) → head(o, s), by relation ids (paper Eq. 2)."""

    sorts: ClassVar[tuple[str, ...]] = ("inverse", "symmetric")
    example: ClassVar[str] = "P22>P40"

    body: str
    head: str

    def __str__(self) -> str:
        return f"{self.body}>{self.head}"

    @classmethod
    def parse(cls, text: str) -> "InverseRule | None":
        """Rule that the text spells, such as `P22>P40`; None if it has another form."""
        ids = ids_of_clause(text)
        return cls(*ids) if len(ids) == 2 else None

    @property
    def sort(self) -> str:
        """`symmetric` for a rule of a single relation, else `inverse`."""
        return "symmetric" if self.body == self.head else "inverse"

    @property
    def relations(self) -> tuple[str, ...]:
        """Ids of body and head."""
        return self.body, self.head

    def instances(self, graph: Graph) -> Iterator[tuple[Fact, ...]]:
        """Every (body, head) that holds in the graph, in its order."""
        if self.body not in graph.predicates or self.head not in graph.predicates:
            return
        head = graph.relation(self.head)
        for body in graph.facts_of(graph.relation(self.body)):
            if (inverse := Fact(body.object, head, body.subject)) in graph:
                yield body, inverse

    def words(self, label: Callable[[str], str]) -> str:
        """`father(x, y) → child(y, x)`."""
        return f"{label(self.body)}(x, y) → {label(self.head)}(y, x)"

    def wrong(self, facts: Callable[[str], Table]) -> Table:
        """Counterexample: the entities x and y."""
        return wrong_inverses(facts(self.body), facts(self.head))

    def declared(self, inverses: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether the graph declares the head an inverse of the body."""
        return self.head in inverses.get(self.body, ())

"""Composition rules: two facts in a row imply a third one between their ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph
from pitfalls.rules.joins import wrong_compositions
from pitfalls.rules.rule import Rule, ids_of_clause

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only when something is mined
    Table: TypeAlias = object


@dataclass(frozen=True, slots=True)
class CompositionRule(Rule):
    """`P40&P25>P26`: tied(s2, s1) ∧ body(s1, o) → head(s2, o), by relation ids (paper Eq. 4)."""

    sorts: ClassVar[tuple[str, ...]] = ("composition",)
    example: ClassVar[str] = "P40&P25>P26"

    tied: str
    body: str
    head: str

    def __str__(self) -> str:
        return f"{self.tied}&{self.body}>{self.head}"

    @classmethod
    def parse(cls, text: str) -> "CompositionRule | None":
        """Rule that the text spells, such as `P40&P25>P26`; None if it has another form."""
        ids = ids_of_clause(text)
        return cls(*ids) if len(ids) == 3 else None

    @property
    def relations(self) -> tuple[str, ...]:
        """Ids of the tied relation, of body and of head."""
        return self.tied, self.body, self.head

    def instances(self, graph: Graph) -> Iterator[tuple[Fact, ...]]:
        """Every (tied, body, head) that holds in the graph, in its order."""
        if not {self.tied, self.body, self.head} <= set(graph.predicates):
            return
        body, head = graph.relation(self.body), graph.relation(self.head)
        for tied in graph.facts_of(graph.relation(self.tied)):
            for end in graph.objects(tied.object, body):
                if (follows := Fact(tied.subject, head, end)) in graph:
                    yield tied, Fact(tied.object, body, end), follows

    def words(self, label: Callable[[str], str]) -> str:
        """`child(x, y) ∧ mother(y, z) → spouse(x, z)`."""
        body = f"{label(self.tied)}(x, y) ∧ {label(self.body)}(y, z)"
        return f"{body} → {label(self.head)}(x, z)"

    def wrong(self, facts: Callable[[str], Table]) -> Table:
        """Counterexample: the entities x, y and z."""
        return wrong_compositions(facts(self.tied), facts(self.body), facts(self.head))

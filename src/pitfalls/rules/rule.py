"""Logical rules and their short notation.

`P22>P40` means r1(s, o) → r2(o, s): the second relation is the inverse of the first.
`P40&P25>P26` means r(s2, s1) ∧ r1(s1, o) → r2(s2, o): r is the tied relation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.errors import PitfallsError
from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class InverseRule:
    """body(s, o) → head(o, s), by relation ids (paper Eq. 2)."""

    body: str
    head: str

    def __str__(self) -> str:
        return f"{self.body}>{self.head}"

    @property
    def relations(self) -> tuple[str, ...]:
        """The ids that it speaks of."""
        return self.body, self.head

    def instances(self, graph: Graph) -> Iterator[tuple[Fact, ...]]:
        """Every (body, head) that holds in the graph, in its order."""
        if self.body not in graph.predicates or self.head not in graph.predicates:
            return
        head = graph.relation(self.head)
        for body in graph.facts_of(graph.relation(self.body)):
            if (inverse := Fact(body.object, head, body.subject)) in graph:
                yield body, inverse


@dataclass(frozen=True, slots=True)
class CompositionRule:
    """tied(s2, s1) ∧ body(s1, o) → head(s2, o), by relation ids (paper Eq. 4)."""

    tied: str
    body: str
    head: str

    def __str__(self) -> str:
        return f"{self.tied}&{self.body}>{self.head}"

    @property
    def relations(self) -> tuple[str, ...]:
        """The ids that it speaks of."""
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


Rule: TypeAlias = InverseRule | CompositionRule


def parse_rule(text: str) -> Rule:
    """Parse a rule in the notation above; `str` is the inverse.

    Raises:
        PitfallsError: the text has neither of the two forms.
    """
    bodies, arrow, head = text.partition(">")
    parts = (*bodies.split("&"), head)
    if not arrow or len(parts) not in (2, 3) or not all(map(_is_id, parts)):
        raise PitfallsError(f"rule {text!r}: expected the form 'P22>P40' or 'P40&P25>P26'")
    return InverseRule(*parts) if len(parts) == 2 else CompositionRule(*parts)


def _is_id(text: str) -> bool:
    return bool(text) and not set("&>").intersection(text) and not any(map(str.isspace, text))


REVERSE_RULES: tuple[InverseRule, ...] = (
    InverseRule("P22", "P40"),  # father → child
    InverseRule("P25", "P40"),  # mother → child
    InverseRule("P185", "P184"),  # doctoral student → doctoral advisor
    InverseRule("P800", "P170"),  # notable work → creator
)
"""The paper's inverse rules. e1 always edits the left relation."""

COMPOSITE_RULES: tuple[CompositionRule, ...] = (
    CompositionRule("P40", "P25", "P26"),  # child ∧ mother → spouse
    CompositionRule("P25", "P26", "P22"),  # mother ∧ spouse → father
    CompositionRule("P39", "P1001", "P27"),  # position held ∧ jurisdiction → citizenship
    CompositionRule("P22", "P40", "P3373"),  # father ∧ child → sibling
    CompositionRule("P40", "P22", "P26"),  # child ∧ father → spouse
    CompositionRule("P22", "P26", "P25"),  # father ∧ spouse → mother
    CompositionRule("P800", "P407", "P1412"),  # notable work ∧ its language → languages spoken
)
"""The paper's composition rules. e1 edits the body, e2 the head, the tied fact stays."""

"""Mining rules from a graph, with the measures of AMIE (Galárraga et al. 2013, §§3-4)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Graph
from pitfalls.progress import SILENT, Progress
from pitfalls.rules.joins import composition_counts, inverse_counts
from pitfalls.rules.rule import CompositionRule, InverseRule, Rule

if TYPE_CHECKING:
    import pyarrow
    from ibis.backends import BaseBackend
else:  # imported only when something is mined
    BaseBackend: TypeAlias = object

Sort: TypeAlias = Literal["symmetric", "inverse", "composition"]


@dataclass(frozen=True, slots=True)
class MinedRule:
    """A rule and how well it holds. The two or three things of an instance must all differ."""

    rule: Rule
    support: int
    """Pairs (x, z) for which body and head hold: head(x, z) is predicted rightly."""
    pairs: int
    """Pairs for which the body holds: everything that the rule predicts."""
    known: int
    """Of these, pairs whose x has some head(x, ·) in the graph: what it can know, under PCA."""
    head_facts: int
    """Facts of the head's relation."""

    @property
    def sort(self) -> Sort:
        """A symmetric rule is an inverse one of a single relation."""
        if isinstance(self.rule, CompositionRule):
            return "composition"
        return "symmetric" if self.rule.body == self.rule.head else "inverse"

    @property
    def head_coverage(self) -> float:
        """Support / facts of the head: the part of them that the rule explains."""
        return self.support / self.head_facts

    @property
    def confidence(self) -> float:
        """Support / pairs, which takes what is not in the graph to be false."""
        return self.support / self.pairs

    @property
    def pca_confidence(self) -> float:
        """Support / known, by the partial completeness assumption.

        Who has one head fact in the graph is taken to have all of them there, others none.
        """
        return self.support / self.known

    @property
    def weight(self) -> float:
        """PCA confidence · √support: what rules are ranked by. A good rule is right and common."""
        return self.pca_confidence * sqrt(self.support)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which rules are worth telling, and how long to look for them."""

    support: int = 20
    head_coverage: float = 0.01
    confidence: float = 0.0
    pca_confidence: float = 0.1
    seconds: float | None = None
    """Begin no further relation after this time; None: take all the time it needs."""

    def __post_init__(self) -> None:
        if self.support < 1:
            raise PitfallsError(f"the least support is {self.support}, expected at least 1")

    def allow(self, mined: MinedRule) -> bool:
        """Whether the rule is within all of them."""
        return (
            mined.support >= self.support
            and mined.head_coverage >= self.head_coverage
            and mined.confidence >= self.confidence
            and mined.pca_confidence >= self.pca_confidence
        )


@dataclass(frozen=True, slots=True)
class Mined:
    """What was found, best first, and what there was no time for."""

    rules: tuple[MinedRule, ...]
    left_out: tuple[str, ...] = ()
    """Relations that were not tried as the tied one of a composition, the largest first."""

    def of(self, sort: Sort) -> list[MinedRule]:
        """The rules of one sort, best first."""
        return [each for each in self.rules if each.sort == sort]


def mine(
    graph: Graph,
    limits: Limits = Limits(),
    *,
    engine: BaseBackend | None = None,
    progress: Progress = SILENT,
) -> Mined:
    """Every inverse, symmetric and composition rule within the limits, by falling weight.

    Args:
        graph: the facts; when they held does not matter here.
        limits: see there.
        engine: any Ibis connection, such as `ibis.pyspark.connect()`; DuckDB in memory if None.
        progress: told of every relation.

    Raises:
        PitfallsError: Ibis or DuckDB is not installed.
    """
    start = time.monotonic()
    engine = engine or _duckdb()
    codes = sorted(graph.predicates)
    facts = _Facts.of(graph, codes)
    found = [rule for rule in _inverse_rules(facts, engine) if limits.allow(rule)]
    by_size = sorted(codes, key=lambda id: (-facts.sizes[id], id))
    waiting = [id for id in by_size if facts.sizes[id]]
    with progress.stage("mining rules", len(waiting), "relations") as advance:
        while waiting and (limits.seconds is None or time.monotonic() - start < limits.seconds):
            rules = _composition_rules(facts, waiting.pop(0), engine)
            found += [rule for rule in rules if limits.allow(rule)]
            advance(1)
    ranked = sorted(found, key=lambda each: (-each.weight, str(each.rule)))
    return Mined(tuple(ranked), tuple(waiting))


@dataclass(frozen=True, slots=True)
class _Facts:
    """A graph as numbers in columns."""

    columns: "pyarrow.Table"
    relations: list[str]
    """Number → relation id."""
    sizes: dict[str, int]

    @classmethod
    def of(cls, graph: Graph, relations: list[str]) -> "_Facts":
        import pyarrow

        entity = {id: number for number, id in enumerate(graph.nodes)}
        number = {id: place for place, id in enumerate(relations)}
        columns = {
            "subject": [entity[fact.subject.id] for fact in graph.facts],
            "relation": [number[fact.relation.id] for fact in graph.facts],
            "object": [entity[fact.object.id] for fact in graph.facts],
        }
        kinds = {name: pyarrow.array(each, pyarrow.int32()) for name, each in columns.items()}
        sizes = {id: len(graph.facts_of(graph.relation(id))) for id in relations}
        return cls(pyarrow.table(kinds), relations, sizes)


def _inverse_rules(facts: _Facts, engine: BaseBackend) -> Iterator[MinedRule]:
    for row in _carry_out(inverse_counts(_table(facts.columns)), engine):
        body, head = facts.relations[row["body"]], facts.relations[row["head"]]
        counts = row["support"], row["pairs"], row["known"]
        yield MinedRule(InverseRule(body, head), *counts, facts.sizes[head])


def _composition_rules(facts: _Facts, tied: str, engine: BaseBackend) -> Iterator[MinedRule]:
    table = _table(facts.columns)
    of_tied = table.filter(table.relation == facts.relations.index(tied))
    for row in _carry_out(composition_counts(table, of_tied), engine):
        body, head = facts.relations[row["body"]], facts.relations[row["head"]]
        counts = row["support"], row["pairs"], row["known"]
        yield MinedRule(CompositionRule(tied, body, head), *counts, facts.sizes[head])


def _carry_out(counts: Any, engine: BaseBackend) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = engine.to_pyarrow(counts).to_pylist()
    return rows


def _table(columns: "pyarrow.Table") -> Any:
    import ibis

    return ibis.memtable(columns)


def _duckdb() -> BaseBackend:
    try:
        import ibis

        return ibis.duckdb.connect()
    except (ImportError, AttributeError):
        raise PitfallsError(
            "mining needs Ibis and DuckDB: pip install 'pitfalls[graphs]'"
        ) from None

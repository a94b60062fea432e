"""Rule mining in a graph, with the measures of AMIE (Galárraga et al. 2013, §§3-4)."""

import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal, TypeAlias

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.progress import SILENT, Progress
from pitfalls.rules.engine import Engine, Late
from pitfalls.rules.joins import composition_counts, inverse_counts, sizes
from pitfalls.rules.rule import CompositionRule, InverseRule, Rule
from pitfalls.settings import Count, Fraction, NonNegative, Settings

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table
else:  # imported only when something is mined
    BaseBackend: TypeAlias = object
    Table: TypeAlias = object

Sort: TypeAlias = Literal["inverse", "symmetric", "composition"]


@dataclass(frozen=True, slots=True)
class MinedRule:
    """A rule and its measures. Only instances with distinct entities count."""

    rule: Rule
    support: int
    """Pairs (x, z) for which body and head hold: correct predictions head(x, z)."""
    pairs: int
    """Pairs for which the body holds: all predictions of the rule."""
    known: int
    """Predictions that the graph can judge under PCA: those whose x has some head(x, ·)."""
    head_facts: int
    """Facts of the head's relation."""
    declared: bool = False
    """Whether the relations are declared inverses of each other, whatever the facts say."""

    @property
    def sort(self) -> Sort:
        """Kind of the rule; an inverse rule of a single relation is symmetric."""
        if isinstance(self.rule, CompositionRule):
            return "composition"
        return "symmetric" if self.rule.body == self.rule.head else "inverse"

    @property
    def head_coverage(self) -> float:
        """Support / facts of the head: the share of them that the rule explains."""
        return self.support / self.head_facts

    @property
    def confidence(self) -> float:
        """Support / pairs, which counts facts missing from the graph as false."""
        return self.support / self.pairs

    @property
    def pca_confidence(self) -> float:
        """Support / known, under the partial completeness assumption (PCA).

        PCA: the graph has either all or none of a subject's facts of the head's relation.
        """
        return self.support / self.known

    @property
    def weight(self) -> float:
        """PCA confidence · √support, the ranking score: good rules are correct and frequent."""
        return self.pca_confidence * sqrt(self.support)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Settings):
    """Thresholds for mined rules, and the time limit.

    By default a rule must be right more often than wrong where the graph can judge it. Of the
    paper's eleven rules, in a Wikidata graph of 373,401 facts, the lowest PCA confidence is 0.59
    (father ∧ child → sibling) and the lowest confidence, because of gaps in the graph, is 0.15
    (notable work → creator).
    """

    support: Count = 20
    head_coverage: Fraction = 0.01
    confidence: Fraction = 0.1
    pca_confidence: Fraction = 0.5
    seconds: NonNegative | None = None
    """Time limit, applied even in the middle of a relation; None: no limit."""

    def allow(self, mined: MinedRule) -> bool:
        """Whether the rule meets all thresholds; declared rules need no confidence."""
        right = mined.confidence >= self.confidence and mined.pca_confidence >= self.pca_confidence
        return (
            mined.support >= self.support
            and mined.head_coverage >= self.head_coverage
            and (right or mined.declared)
        )


@dataclass(frozen=True, slots=True)
class Mined:
    """Mined rules, best first, and the parts skipped for lack of time."""

    rules: tuple[MinedRule, ...]
    left_out: tuple[str, ...] = ()
    """Relations not tried as the tied relation of a composition, largest first."""
    inverse: bool = True
    """Whether there was time for inverse and symmetric rules, which are mined first."""

    def of(self, sort: Sort) -> list[MinedRule]:
        """Rules of one kind, best first."""
        return [each for each in self.rules if each.sort == sort]


def mine(
    source: Graph | Store,
    limits: Limits = Limits(),
    *,
    engine: BaseBackend | None = None,
    progress: Progress = SILENT,
) -> Mined:
    """Mine all inverse, symmetric and composition rules within the limits, by falling weight.

    Facts that never held at the same time neither support a rule nor are joined in its body.

    Args:
        source: a graph in memory, or a store, whose Parquet file the joins read.
        limits: thresholds and time limit.
        engine: any Ibis connection, such as `ibis.pyspark.connect()`; DuckDB in memory if None.
        progress: notified of every relation.

    Raises:
        PitfallsError: Ibis or DuckDB is not installed.
    """
    joins = Joins.of(source, Engine.of(engine), limits.seconds)
    waiting = sorted(joins.sizes, key=lambda id: (-joins.sizes[id], id))
    found, inverse = list[MinedRule](), False
    with progress.stage("mining rules", len(waiting) + 1, "relations") as advance, suppress(Late):
        found += filter(limits.allow, joins.inverse_rules())
        inverse = True
        advance(1)
        while waiting:
            found += filter(limits.allow, joins.composition_rules(waiting[0]))
            del waiting[0]
            advance(1)
    ranked = sorted(found, key=lambda each: (-each.weight, str(each.rule)))
    return Mined(tuple(ranked), tuple(waiting), inverse)


@dataclass(frozen=True, slots=True)
class Joins:
    """The joins on the facts of one source."""

    engine: Engine
    facts: Table
    """Table of facts, with entities and relations as numbers."""
    relations: Sequence[str]
    """Number → relation."""
    sizes: dict[str, int]
    """Relation → number of its distinct facts."""
    deadline: float | None
    inverses: Mapping[str, tuple[str, ...]]
    """Relation → its declared inverses."""

    @classmethod
    def of(cls, source: Graph | Store, engine: Engine, seconds: float | None) -> "Joins":
        """Prepare the joins; the time limit starts now."""
        deadline = None if seconds is None else time.monotonic() + seconds
        if isinstance(source, Store):
            facts, relations = _stored(source, engine), source.relations
        else:
            relations = tuple(source.predicates)
            facts = _loaded(source, relations)
        if not engine.rows(facts.filter(facts.start.notnull() | facts.end.notnull()).limit(1)):
            facts = facts.drop("start", "end")  # no fact is dated: the joins are simpler
        sized = {relations[row["relation"]]: row["size"] for row in engine.rows(sizes(facts))}
        inverses = {id: each.inverse for id, each in source.predicates.items()}
        return cls(engine, facts, relations, sized, deadline, inverses)

    def inverse_rules(self) -> list[MinedRule]:
        """Inverse and symmetric rules with at least one instance.

        Raises:
            Late: the time is up.
        """
        rows = self.engine.rows(inverse_counts(self.facts), self.deadline)
        return [self._mined(InverseRule(*self._rule(row)), row) for row in rows]

    def composition_rules(self, tied: str) -> list[MinedRule]:
        """Composition rules with this tied relation and at least one instance.

        Raises:
            Late: the time is up.
        """
        of_tied = self.facts.filter(self.facts.relation == self.relations.index(tied))
        rows = self.engine.rows(composition_counts(self.facts, of_tied), self.deadline)
        return [self._mined(CompositionRule(tied, *self._rule(row)), row) for row in rows]

    def _rule(self, row: Mapping[str, int]) -> tuple[str, str]:
        return self.relations[row["body"]], self.relations[row["head"]]

    def _mined(self, rule: Rule, row: Mapping[str, int]) -> MinedRule:
        counts = row["support"], row["pairs"], row["known"]
        inverse = isinstance(rule, InverseRule) and rule.head in self.inverses.get(rule.body, ())
        return MinedRule(rule, *counts, self.sizes[rule.head], inverse)


def _stored(store: Store, engine: Engine) -> Table:
    """Facts in the store's Parquet file, without relations that have no prompts."""
    with warnings.catch_warnings():
        # Ibis still asks DuckDB for the columns by a deprecated name.
        warnings.simplefilter("ignore", DeprecationWarning)
        facts = engine.backend.read_parquet(str(store.facts.resolve()))
    wordless = [n for n, id in enumerate(store.relations) if id not in store.predicates]
    return facts.filter(facts.relation.notin(wordless)) if wordless else facts


def _loaded(graph: Graph, relations: Sequence[str]) -> Table:
    """Facts of a graph in memory as columns."""
    import ibis
    import pyarrow as pa

    entity = {id: number for number, id in enumerate(graph.nodes)}
    relation = {id: number for number, id in enumerate(relations)}
    rows = [
        (entity[f.subject.id], relation[f.relation.id], entity[f.object.id], *span.numbers)
        for f in graph.facts
        for span in graph.spans_of(f)
    ]
    kinds = {"subject": pa.int32(), "relation": pa.int32(), "object": pa.int32()}
    kinds |= {"start": pa.int64(), "end": pa.int64()}
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    arrays = map(pa.array, columns, kinds.values())
    return ibis.memtable(pa.table(dict(zip(kinds, arrays, strict=True))))

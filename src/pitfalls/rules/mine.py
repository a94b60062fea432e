"""Mining rules from a graph, with the measures of AMIE (Galárraga et al. 2013, §§3-4)."""

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
    declared: bool = False
    """Whether one relation is known to be the inverse of the other, whatever the facts say."""

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
class Limits(Settings):
    """Which rules are worth telling, and how long to look for them.

    By default a rule is right more often than wrong where the graph can judge it. Of the paper's
    eleven, in a Wikidata graph of 373,401 facts, the weakest has a PCA confidence of 0.59 (father ∧
    child → sibling) and a confidence of 0.15 (notable work → creator), as graphs have gaps.
    """

    support: Count = 20
    head_coverage: Fraction = 0.01
    confidence: Fraction = 0.1
    pca_confidence: Fraction = 0.5
    seconds: NonNegative | None = None
    """Stop after this time, in the middle of a relation if need be; None: take all it needs."""

    def allow(self, mined: MinedRule) -> bool:
        """Whether the rule is within all of them; of a declared one no confidence is asked."""
        right = mined.confidence >= self.confidence and mined.pca_confidence >= self.pca_confidence
        return (
            mined.support >= self.support
            and mined.head_coverage >= self.head_coverage
            and (right or mined.declared)
        )


@dataclass(frozen=True, slots=True)
class Mined:
    """What was found, best first, and what there was no time for."""

    rules: tuple[MinedRule, ...]
    left_out: tuple[str, ...] = ()
    """Relations that were not tried as the tied one of a composition, the largest first."""
    inverse: bool = True
    """Whether there was time for inverse and symmetric rules, which come before compositions."""

    def of(self, sort: Sort) -> list[MinedRule]:
        """The rules of one sort, best first."""
        return [each for each in self.rules if each.sort == sort]


def mine(
    source: Graph | Store,
    limits: Limits = Limits(),
    *,
    engine: BaseBackend | None = None,
    progress: Progress = SILENT,
) -> Mined:
    """Every inverse, symmetric and composition rule within the limits, by falling weight.

    Facts that never held together do not support a rule, nor are they put together in its body.

    Args:
        source: the facts: in memory, or a store, whose Parquet file the joins run on.
        limits: see there.
        engine: any Ibis connection, such as `ibis.pyspark.connect()`; DuckDB in memory if None.
        progress: told of every relation.

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
    """Entities and relations as numbers."""
    relations: Sequence[str]
    """Number → relation."""
    sizes: dict[str, int]
    """Relation → how many different facts it has."""
    deadline: float | None
    inverses: Mapping[str, tuple[str, ...]]
    """Relation → those that are known to hold the other way round."""

    @classmethod
    def of(cls, source: Graph | Store, engine: Engine, seconds: float | None) -> "Joins":
        """The joins, from now on for so many seconds."""
        deadline = None if seconds is None else time.monotonic() + seconds
        if isinstance(source, Store):
            facts, relations = _stored(source, engine), source.relations
        else:
            relations = tuple(source.predicates)
            facts = _loaded(source, relations)
        if not engine.rows(facts.filter(facts.start.notnull() | facts.end.notnull()).limit(1)):
            facts = facts.drop("start", "end")  # all of the same time: the joins are simpler
        sized = {relations[row["relation"]]: row["size"] for row in engine.rows(sizes(facts))}
        inverses = {id: each.inverse for id, each in source.predicates.items()}
        return cls(engine, facts, relations, sized, deadline, inverses)

    def inverse_rules(self) -> list[MinedRule]:
        """All inverse and symmetric rules that hold at least once.

        Raises:
            Late: the time is up.
        """
        rows = self.engine.rows(inverse_counts(self.facts), self.deadline)
        return [self._mined(InverseRule(*self._rule(row)), row) for row in rows]

    def composition_rules(self, tied: str) -> list[MinedRule]:
        """All compositions with this tied relation that hold at least once.

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
    """The Parquet file itself, without relations that no case could be worded for."""
    with warnings.catch_warnings():
        # Ibis asks DuckDB for the columns by a name that DuckDB has given up.
        warnings.simplefilter("ignore", DeprecationWarning)
        facts = engine.backend.read_parquet(str(store.facts.resolve()))
    wordless = [n for n, id in enumerate(store.relations) if id not in store.predicates]
    return facts.filter(facts.relation.notin(wordless)) if wordless else facts


def _loaded(graph: Graph, relations: Sequence[str]) -> Table:
    """A graph in memory as columns."""
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

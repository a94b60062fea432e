"""The facts of a graph or store as a table, for the joins of rule mining."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.rules.engine import Engine
from pitfalls.rules.joins import sizes

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only when something is mined
    Table: TypeAlias = object


@dataclass(frozen=True, slots=True)
class FactTable:
    """Facts of one source, and the engine that joins them."""

    engine: Engine
    facts: Table
    """Table of facts, with entities and relations as numbers."""
    relations: Sequence[str]
    """Number → relation."""
    sizes: dict[str, int]
    """Relation → number of its distinct facts."""
    inverses: Mapping[str, tuple[str, ...]]
    """Relation → its declared inverses."""

    @classmethod
    def of(cls, source: Graph | Store, engine: Engine) -> "FactTable":
        """Read the facts of a source and count them.

        Raises:
            PitfallsError: the engine cannot read the facts.
        """
        if isinstance(source, Store):
            facts, relations = _stored(source, engine), source.relations
        else:
            relations = tuple(source.predicates)
            facts = _loaded(source, relations)
        if not engine.rows(facts.filter(facts.start.notnull() | facts.end.notnull()).limit(1)):
            facts = facts.drop("start", "end")  # no fact is dated: the joins are simpler
        sized = {relations[row["relation"]]: row["size"] for row in engine.rows(sizes(facts))}
        inverses = {id: each.inverse for id, each in source.predicates.items()}
        return cls(engine, facts, relations, sized, inverses)

    def facts_of(self, relation: str) -> Table:
        """Facts of one relation."""
        return self.facts.filter(self.facts.relation == self.relations.index(relation))


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

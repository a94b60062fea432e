"""Counterexamples of mined rules, to read beside a rule's measures."""

from collections.abc import Iterator, Sequence

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.rules.engine import Engine
from pitfalls.rules.fact_table import FactTable
from pitfalls.rules.limits import MinedRule


def with_counterexamples(
    source: Graph | Store, mined: Sequence[MinedRule], engine: Engine | None = None
) -> Iterator[tuple[MinedRule, tuple[str, ...]]]:
    """Pair every rule with a counterexample: the labels of its x, y, ….

    In a counterexample the body holds, and the subject of the head has facts of the head's
    relation, but not the predicted one. It is the first one of the subject with the most wrong
    predictions. A rule that is never wrong has no labels.

    Args:
        source: the graph or store that the rules were mined from.
        mined: the rules.
        engine: the engine that joins; None: DuckDB in memory.

    Raises:
        PitfallsError: Ibis or DuckDB is not installed, or a table of the store is damaged.
    """
    if not mined:
        return
    table = FactTable.of(source, Engine.of(engine))
    numbers = [_numbers(table, each) if each.known > each.support else () for each in mined]
    labels = _labels(source, {number for found in numbers for number in found})
    for each, found in zip(mined, numbers, strict=True):
        yield each, tuple(labels[number] for number in found)


def _numbers(table: FactTable, mined: MinedRule) -> tuple[int, ...]:
    found = table.engine.rows(mined.rule.wrong(table.facts_of))
    return next((tuple(row.values()) for row in found), ())


def _labels(source: Graph | Store, numbers: set[int]) -> dict[int, str]:
    """Labels by number. Entities are numbered in the order of their ids, as in a store."""
    if isinstance(source, Store):
        return source.labels(numbers)
    nodes = list(source.nodes.values())
    return {number: nodes[number].entity.label for number in numbers}

"""Where a mined rule is at its worst: reading it beside the rule shows what its numbers hide."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.rules.engine import Engine
from pitfalls.rules.joins import wrong_compositions, wrong_inverses
from pitfalls.rules.mine import Joins, MinedRule
from pitfalls.rules.rule import CompositionRule

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only when something is mined
    Table: TypeAlias = object


def with_counterexamples(
    source: Graph | Store, mined: Sequence[MinedRule]
) -> Iterator[tuple[MinedRule, tuple[str, ...]]]:
    """Every rule with the labels of x, y and, in a composition, z for which it is wrong.

    The body holds, and the subject of the head has facts of its relation, but not this one. Of all
    such places it is the first of that subject for which the rule predicts the most wrong ones; the
    labels are missing where the rule is never wrong.

    Args:
        source: what the rules were mined from.
        mined: the rules.

    Raises:
        PitfallsError: Ibis or DuckDB is not installed, or a table of the store is damaged.
    """
    if not mined:
        return
    joins = Joins.of(source, Engine.of(None), None)
    numbers = [_numbers(joins, each) if each.known > each.support else () for each in mined]
    labels = _labels(source, {number for found in numbers for number in found})
    for each, found in zip(mined, numbers, strict=True):
        yield each, tuple(labels[number] for number in found)


def _numbers(joins: Joins, mined: MinedRule) -> tuple[int, ...]:
    rule = mined.rule

    def facts(relation: str) -> Table:
        return joins.facts.filter(joins.facts.relation == joins.relations.index(relation))

    if isinstance(rule, CompositionRule):
        found = wrong_compositions(facts(rule.tied), facts(rule.body), facts(rule.head))
    else:
        found = wrong_inverses(facts(rule.body), facts(rule.head))
    return next((tuple(row.values()) for row in joins.engine.rows(found)), ())


def _labels(source: Graph | Store, numbers: set[int]) -> dict[int, str]:
    """Entities are numbered in the order of their ids, in memory as in a store."""
    if isinstance(source, Store):
        return source.labels(numbers)
    nodes = list(source.nodes.values())
    return {number: nodes[number].entity.label for number in numbers}

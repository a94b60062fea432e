"""Rule mining in a graph, with the measures of AMIE (Galárraga et al. 2013, §§3-4)."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.progress import SILENT, Progress
from pitfalls.rules.engine import Engine, Late
from pitfalls.rules.fact_table import FactTable
from pitfalls.rules.joins import composition_counts, inverse_counts
from pitfalls.rules.limits import Limits, MinedRule
from pitfalls.rules.rule import Rule
from pitfalls.rules.sieve import Sieve
from pitfalls.rules.table import RULE_KINDS

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table
else:  # imported only when something is mined
    BaseBackend: TypeAlias = object
    Table: TypeAlias = object


@dataclass(frozen=True, slots=True)
class Join:
    """Join that counts the rules of one kind."""

    counts: Callable[..., Table]
    """Takes the facts, and those of the fixed relation if there is one. Returns a row per rule: the
    columns of `COUNTS`, and a column with the number of a relation for every other field."""
    fixed: str | None = None
    """Field of the rule that is fixed, so that the join runs once for each relation; None: one run
    counts all rules of the kind."""
    sifted: Callable[[Sieve, str], list[dict[str, Any]]] | None = None
    """Faster way to the rows of `counts`: takes a sieve and the fixed relation, and may leave out
    rules that are not within the limits. None: the join is executed."""


JOIN_OF: dict[str, Join] = {
    "inverse": Join(inverse_counts),
    "composition": Join(composition_counts, fixed="tied", sifted=Sieve.compositions),
}
"""Kind of rule → its join. A kind without one is not mined."""
COUNTS = ("support", "pairs", "known")


def mined_sorts() -> tuple[str, ...]:
    """Names of the rules that are mined, as in `Rule.sorts`."""
    return tuple(sort for kind in JOIN_OF for sort in RULE_KINDS[kind].sorts)


def fixed_fields() -> tuple[str, ...]:
    """Fields of rules that are fixed in a join, such as `tied`."""
    return tuple(dict.fromkeys(join.fixed for join in JOIN_OF.values() if join.fixed is not None))


def unmined_sorts() -> tuple[str, ...]:
    """Names of the rules that are not mined, because no join counts them."""
    return tuple(
        name for kind in RULE_KINDS if kind not in JOIN_OF for name in RULE_KINDS[kind].sorts
    )


@dataclass(frozen=True, slots=True)
class Mined:
    """Mined rules, best first, and the parts skipped for lack of time."""

    rules: tuple[MinedRule, ...]
    left_out: tuple[str, ...] = ()
    """Relations not tried in the fixed fields of rules (`fixed_fields`), largest first."""
    not_counted: tuple[str, ...] = ()
    """Names of the rules that are counted in one join, before all others, and were not."""

    def of(self, sort: str) -> list[MinedRule]:
        """Rules of one name, as in `Rule.sorts`, best first."""
        return [each for each in self.rules if each.sort == sort]


def mine(
    source: Graph | Store,
    limits: Limits = Limits(),
    *,
    engine: BaseBackend | Engine | None = None,
    progress: Progress = SILENT,
) -> Mined:
    """Mine all rules within the limits of every kind that has a join, by falling weight.

    Facts that never held at the same time neither support a rule nor are joined in its body.

    Args:
        source: a graph in memory, or a store, whose Parquet file the joins read.
        limits: thresholds and time limit.
        engine: an engine of `open_engine`, or any Ibis connection, such as
            `ibis.pyspark.connect()`; DuckDB in memory if None.
        progress: notified of every relation.

    Raises:
        PitfallsError: Ibis or DuckDB is not installed.
    """
    joined_by = Engine.of(engine)
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    table = FactTable.of(source, joined_by)
    sieve = Sieve(table, limits, deadline)
    waiting, found = list(_parts(table.sizes)), list[MinedRule]()
    with progress.stage("mining rules", len(waiting), "relations") as advance, suppress(Late):
        while waiting:
            found += filter(limits.allow, _rules(sieve, *waiting[0]))
            del waiting[0]
            advance(1)
    ranked = sorted(found, key=lambda each: (-each.weight, str(each.rule)))
    left_out = dict.fromkeys(id for _, id in waiting if id is not None)
    late = [sort for kind, id in waiting if id is None for sort in RULE_KINDS[kind].sorts]
    return Mined(tuple(ranked), tuple(left_out), tuple(late))


def _parts(sizes: Mapping[str, int]) -> Iterator[tuple[str, str | None]]:
    """Joins to run: kinds, with the fixed relation if there is one, the largest relation first."""
    yield from ((kind, None) for kind, join in JOIN_OF.items() if join.fixed is None)
    for id in sorted(sizes, key=lambda id: (-sizes[id], id)):
        yield from ((kind, id) for kind, join in JOIN_OF.items() if join.fixed is not None)


def _rules(sieve: Sieve, kind: str, fixed: str | None) -> list[MinedRule]:
    """Rules of one kind, all of those within the limits among them.

    Args:
        sieve: the facts, the limits and the deadline.
        kind: a kind in `JOIN_OF`.
        fixed: the relation in the fixed field; None if the kind has no such field.

    Raises:
        Late: the time is up.
    """
    join, table = JOIN_OF[kind], sieve.table
    some = () if fixed is None else (table.facts_of(fixed),)
    given = {} if join.fixed is None or fixed is None else {join.fixed: fixed}
    if join.sifted is not None and fixed is not None:
        rows = join.sifted(sieve, fixed)
    else:
        rows = table.engine.rows(join.counts(table.facts, *some), sieve.deadline)
    return [_mined(table, RULE_KINDS[kind], given, row) for row in rows]


def _mined(
    table: FactTable, make: Callable[..., Rule], given: Mapping[str, str], row: Mapping[str, int]
) -> MinedRule:
    """A rule and its measures, from its fixed relation and its row of a join."""
    found = {name: table.relations[row[name]] for name in row if name not in COUNTS}
    rule = make(**given, **found)
    counts = {name: row[name] for name in COUNTS}
    size, declared = table.sizes[rule.head], rule.declared(table.inverses)
    return MinedRule(rule, **counts, head_facts=size, declared=declared)

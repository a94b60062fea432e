"""Bounds on the measures of composition rules, from the degrees of entities.

A hub, such as a country in a graph of its citizens, connects more pairs than any rule could predict
with confidence. Bounds on support and pairs tell this without forming the pairs:

    paths(tied, body)       most pairs: those (s, m, o) with tied(s, m) and body(m, o)
    starting(tied, head)    most support: facts of the head whose subject has the tied relation
    ending(body, head)      most support: facts of the head whose object has the body's relation

Fewest pairs: a subject s is connected to as many o as any one of its m has, and an object o to as
many s. Facts with a start or end may not have held together, so this counts undated ones only.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pitfalls.rules.engine import Engine

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only for mining
    Table: TypeAlias = object

Bound: TypeAlias = Mapping[tuple[int, int], int]
"""Numbers of two relations → a bound; 0 where they are missing."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper bounds on pairs and support, by the numbers of relations."""

    paths: Bound
    """By tied and body."""
    starting: Bound
    """By tied and head."""
    ending: Bound
    """By body and head."""

    @classmethod
    def of(cls, facts: Table, engine: Engine, deadline: float | None) -> "Bounds":
        """Count the degrees of all entities.

        Args:
            facts: all facts.
            engine: the engine that counts.
            deadline: as in `Engine.rows`.

        Raises:
            Late: the deadline has passed.
            PitfallsError: memory or disk are too small, or the facts cannot be read.
        """
        every = facts.select("relation", "subject", "object").distinct()
        proper = every.filter(every.subject != every.object)
        outs, ins = _degrees(proper, "subject"), _degrees(proper, "object")
        told = {
            "paths": _sums(ins, outs, weighted=True),
            "starting": _sums(outs, _degrees(every, "subject")),
            "ending": _sums(ins, _degrees(every, "object")),
        }
        found = {name: engine.rows(table, deadline) for name, table in told.items()}
        return cls(
            **{
                name: {(row["one"], row["other"]): row["most"] for row in rows}
                for name, rows in found.items()
            }
        )

    def support(self, tied: int, body: int, head: int) -> int:
        """Upper bound on the support of a rule."""
        most = min(self.starting.get((tied, head), 0), self.ending.get((body, head), 0))
        return min(most, self.paths.get((tied, body), 0))


def fewest_pairs(
    facts: Table, tied: Table, bodies: Collection[int], engine: Engine, deadline: float | None
) -> dict[int, int]:
    """Lower bounds on the pairs of tied(s, m) ∧ body(m, o), by the body's number.

    Args:
        facts: all facts.
        tied: the facts of the tied relation.
        bodies: numbers of the body's relations.
        engine: the engine that counts.
        deadline: as in `Engine.rows`.

    Raises:
        Late: the deadline has passed.
        PitfallsError: memory or disk are too small, or the facts cannot be read.
    """
    first = _undated(tied).select(s="subject", m="object")
    second = _undated(facts.filter(facts.relation.isin(sorted(bodies))))
    second = second.select(body="relation", m="subject", o="object")
    outs = second.group_by(["body", "m"]).agg(size=_count)
    ins = first.group_by("m").agg(size=_count)
    least: dict[int, int] = {}
    for joined, end in ((first.join(outs, "m"), "s"), (second.join(ins, "m"), "o")):
        most = joined.group_by(["body", end]).agg(size=_largest)
        # One of the pairs may be (s, s), which does not count.
        found = most.group_by("body").agg(size=_sum_of_sizes, ends=_count)
        for row in engine.rows(found, deadline):
            body, bound = row["body"], row["size"] - row["ends"]
            least[body] = max(bound, least.get(body, 0))
    return least


def _undated(facts: Table) -> Table:
    """Facts without a start and an end, and without an entity at both ends."""
    if "start" in facts.columns:
        facts = facts.filter(facts.start.isnull() & facts.end.isnull())
    proper = facts.filter(facts.subject != facts.object)
    return proper.select("relation", "subject", "object").distinct()


def _degrees(facts: Table, end: str) -> Table:
    """Facts of each relation that an entity has at one end: columns relation, entity, size."""
    named = facts.select("relation", entity=facts[end])
    return named.group_by(["relation", "entity"]).agg(size=_count)


def _sums(ones: Table, others: Table, *, weighted: bool = False) -> Table:
    """Sums over the entities that two relations share: columns one, other, most.

    Args:
        ones: degrees in one relation.
        others: degrees in the other one, which are summed.
        weighted: whether each counts as often as the degree in the first relation says.
    """
    left = ones.select("entity", one="relation", times="size")
    right = others.select("entity", other="relation", size="size")
    joined = left.join(right, "entity")
    most = joined.times.cast("int64") * joined.size if weighted else joined.size
    shared = joined.select("one", "other", most=most)
    return shared.group_by(["one", "other"]).agg(most=shared.most.sum())


def _count(table: Table) -> object:
    return table.count()


def _largest(table: Table) -> object:
    return table.size.max()


def _sum_of_sizes(table: Table) -> object:
    return table.size.sum()

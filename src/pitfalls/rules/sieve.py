"""Composition rules within the limits, found without forming the pairs of all others."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pitfalls.rules.bounds import Bounds, fewest_pairs
from pitfalls.rules.fact_table import FactTable
from pitfalls.rules.joins import composition_counts, composition_support
from pitfalls.rules.limits import Limits

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only for mining
    Table: TypeAlias = object

Support: TypeAlias = dict[tuple[int, int], int]
"""Numbers of body and head → support, or an upper bound on it."""


@dataclass(slots=True)
class Sieve:
    """Facts and limits, with the bounds that are counted on first use."""

    table: FactTable
    limits: Limits
    deadline: float | None = None
    """A time of `time.monotonic`; None: no limit."""
    _bounds: Bounds | None = field(default=None, init=False)

    def compositions(self, tied: str) -> list[dict[str, Any]]:
        """Rows of `composition_counts` for one tied relation, with all rules within the limits.

        Raises:
            Late: the deadline has passed.
            PitfallsError: memory or disk are too small, or the facts cannot be read.
        """
        number = self.table.relations.index(tied)
        some = self._sure_enough(number, dict(self._possible(number)))
        if not some:
            return []
        found = composition_support(*self._facts(number, some))
        rows = self.table.engine.rows(found, self.deadline)
        counted = {(row["body"], row["head"]): row["support"] for row in rows}
        kept = {two: most for two, most in counted.items() if self._frequent(two[1], most)}
        if not (kept := self._sure_enough(number, kept)):
            return []
        return self.table.engine.rows(composition_counts(*self._facts(number, kept)), self.deadline)

    def _possible(self, tied: int) -> Iterator[tuple[tuple[int, int], int]]:
        """Bodies and heads whose support may suffice."""
        if self._bounds is None:
            self._bounds = Bounds.of(self.table.facts, self.table.engine, self.deadline)
        bounds = self._bounds
        bodies = [body for one, body in bounds.paths if one == tied]
        heads = [head for one, head in bounds.starting if one == tied]
        for body in bodies:
            for head in heads:
                most = bounds.support(tied, body, head)
                if most and self._frequent(head, most):
                    yield (body, head), most

    def _frequent(self, head: int, most: int) -> bool:
        """Whether a support is within the limits."""
        size = self.table.sizes[self.table.relations[head]]
        return most >= self.limits.support and most / size >= self.limits.head_coverage

    def _sure_enough(self, tied: int, support: Support) -> Support:
        """Rules whose confidence may suffice, by the fewest pairs that their bodies connect."""
        assert self._bounds is not None
        most = _by_body(support)
        paths, least = self._bounds.paths, self.limits.confidence
        doubtful = [body for body in most if most[body] / paths[tied, body] < least]
        if not doubtful:
            return support
        facts, tied_facts, _ = self._facts(tied, support)
        engine, deadline = self.table.engine, self.deadline
        pairs = fewest_pairs(facts, tied_facts, doubtful, engine, deadline)
        return {
            (body, head): bound
            for (body, head), bound in support.items()
            if bound / max(1, bound, pairs.get(body, 0)) >= least
        }

    def _facts(self, tied: int, some: Collection[tuple[int, int]]) -> tuple[Table, Table, Table]:
        """Facts of the bodies, of the tied relation and of the heads."""
        bodies, heads = ({two[end] for two in some} for end in (0, 1))
        return self._of(bodies), self._of({tied}), self._of(heads)

    def _of(self, relations: Collection[int]) -> Table:
        facts = self.table.facts
        return facts.filter(facts.relation.isin(sorted(relations)))


def _by_body(support: Support) -> dict[int, int]:
    """Largest support of each body."""
    most: dict[int, int] = {}
    for (body, _), bound in support.items():
        most[body] = max(bound, most.get(body, 0))
    return most

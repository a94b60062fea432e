"""Joins of rule mining as Ibis expressions, for any engine.

Every function takes a table of facts with the columns `subject`, `relation` and `object`, and
returns a table of counts. Ids may be of any type; numbers are fastest. With the columns `start` and
`end` (sortable numbers, null if unknown), facts are joined only if all of them may have held on the
same day; a fact that held several times has a row for each. Without these columns facts always
hold, and rows must be distinct.
"""

from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only for mining
    Table: TypeAlias = object


def sizes(facts: Table) -> Table:
    """Number of distinct facts of every relation: columns relation, size."""
    triples = facts.select("subject", "relation", "object").distinct()
    return triples.group_by("relation").agg(size=_count)


def inverse_counts(facts: Table) -> Table:
    """Counts for every rule body(s, o) → head(o, s).

    Returns:
        Columns body, head, pairs, support, known, as in `MinedRule`.
    """
    body = _named(facts.filter(facts.subject != facts.object), "body", "s", "o")
    heads = _named(facts, "head", "o", "s")
    both = _at_once(body.join(heads, ["s", "o"]), "body", "head")
    return _counts(_pairs(both, "body", "head"), _pairs(body, "body"), heads, "o")


def composition_counts(facts: Table, tied: Table, heads: Table | None = None) -> Table:
    """Counts for every rule tied(s, m) ∧ body(m, o) → head(s, o) with one tied relation.

    A pair (s, o) counts once, however many m connect it. Only instances with three distinct
    entities count: where s = m, m = o or s = o, as in "France lies in the country France", nothing
    is composed.

    Args:
        facts: all facts, or those of the bodies to try.
        tied: the facts of the tied relation.
        heads: the facts of the heads to try; None: `facts`.

    Returns:
        Columns as in `inverse_counts`.
    """
    met = _met(facts, tied)
    told = _named(facts if heads is None else heads, "head", "s", "o")
    reached = met.select("body", "s", "o", *_times(met)).distinct()
    both = _at_once(reached.join(told, ["s", "o"]), "tied", "body", "head")
    return _counts(_pairs(both, "body", "head"), _pairs(reached, "body"), told, "s")


def composition_support(facts: Table, tied: Table, heads: Table) -> Table:
    """Support of every rule tied(s, m) ∧ body(m, o) → head(s, o) with one tied relation.

    The pairs that the body connects are not kept, so this takes little memory.

    Args:
        facts: the facts of the bodies to try.
        tied: the facts of the tied relation.
        heads: the facts of the heads to try.

    Returns:
        Columns body, head, support.
    """
    told = _named(heads, "head", "s", "o")
    both = _at_once(_met(facts, tied).join(told, ["s", "o"]), "tied", "body", "head")
    pairs = both.select("body", "head", "s", "o").distinct()
    return pairs.group_by(["body", "head"]).agg(support=_count)


def _met(facts: Table, tied: Table) -> Table:
    """Every tied(s, m) and body(m, o) that may have held together, with three entities."""
    first = _named(tied.filter(tied.subject != tied.object), "tied", "s", "m")
    second = _named(facts.filter(facts.subject != facts.object), "body", "m", "o")
    joined = first.join(second, "m")
    return _at_once(joined.filter(joined.s != joined.o), "tied", "body")


def wrong_inverses(body: Table, heads: Table) -> Table:
    """Counterexample of body(s, o) → head(o, s) whose o has other facts of the head.

    Args:
        body: the facts of the body's relation.
        heads: the facts of the head's relation.

    Returns:
        At most one row, for the o with the most wrong predictions: columns s, o.
    """
    pairs = _named(body.filter(body.subject != body.object), "body", "s", "o")
    return _worst(pairs, _named(heads, "head", "o", "s"), "o").select("s", "o")


def wrong_compositions(tied: Table, body: Table, heads: Table) -> Table:
    """Counterexample of tied(s, m) ∧ body(m, o) → head(s, o) whose s has other facts of the head.

    Returns:
        At most one row, for the s with the most wrong predictions: columns s, m, o.
    """
    first = _named(tied.filter(tied.subject != tied.object), "tied", "s", "m")
    second = _named(body.filter(body.subject != body.object), "body", "m", "o")
    met = first.join(second, "m")
    pairs = met.filter(met.s != met.o).group_by(["s", "o"]).agg(m=_least_between)
    return _worst(pairs, _named(heads, "head", "s", "o"), "s").select("s", "m", "o")


def _worst(pairs: Table, heads: Table, asked: str) -> Table:
    """First wrong pair of the entity in column `asked` with the most wrong pairs."""
    told = heads.select("s", "o").distinct()
    wrong = pairs.anti_join(told, ["s", "o"]).semi_join(told, asked)
    most = wrong.group_by(asked).agg(wrong=_count)
    joined = wrong.join(most, asked)
    return joined.order_by([joined.wrong.desc(), joined.s, joined.o]).limit(1)


def _counts(support: Table, pairs: Table, heads: Table, asked: str) -> Table:
    """Counts per body and head.

    Args:
        support: correctly predicted pairs, by body and head.
        pairs: all predicted pairs, by body.
        heads: all facts.
        asked: column of the pair's end that is the subject of the head.
    """
    right = support.group_by(["body", "head"]).agg(support=_count)
    told = heads.select("head", asked).distinct()
    starts = pairs.group_by(["body", asked]).agg(pairs=_count)
    known = starts.join(told, asked).group_by(["body", "head"]).agg(known=_sum_of_pairs)
    every = pairs.group_by("body").agg(pairs=_count)
    both = right.join(known, ["body", "head"]).join(every, "body")
    return both.select("body", "head", "pairs", "support", "known")


def _pairs(told: Table, *roles: str) -> Table:
    """Distinct pairs s, o with the given roles, ignoring time."""
    pairs = told.select(*roles, "s", "o")
    return pairs.distinct() if _times(told) else pairs


def _times(told: Table) -> list[str]:
    return [name for name in told.columns if name.endswith(("start", "end"))]


def _named(facts: Table, role: str, subject: str, object: str) -> Table:
    """Facts with their columns renamed to the role and variables of a rule's atom."""
    names = {role: "relation", subject: "subject", object: "object"}
    names |= {f"{role}_{time}": time for time in _times(facts)}
    return facts.select(**{new: facts[old] for new, old in names.items()})


def _at_once(joined: Table, *roles: str) -> Table:
    """Rows whose facts may all have held on the same day: their spans overlap pairwise."""
    if not _times(joined):
        return joined
    return joined.filter(*(_overlap(joined, *two) for two in combinations(roles, 2)))


def _overlap(joined: Table, one: str, other: str) -> Any:
    """`Span.overlaps` as an expression."""
    alone = [_is_a_day(joined, role) for role in (one, other)]
    touching = alone[0] | alone[1]
    return _begins_within(joined, one, other, touching) & _begins_within(
        joined, other, one, touching
    )


def _begins_within(joined: Table, one: str, other: str, day: Any) -> Any:
    """Whether one fact may have started before the other ended."""
    start, end = joined[f"{one}_start"], joined[f"{other}_end"]
    return start.isnull() | end.isnull() | (start < end) | ((start == end) & day)


def _is_a_day(joined: Table, role: str) -> Any:
    return (joined[f"{role}_start"] == joined[f"{role}_end"]).fill_null(False)


def _least_between(table: Table) -> object:
    return table.m.min()


def _count(table: Table) -> object:
    return table.count()


def _sum_of_pairs(table: Table) -> object:
    return table.pairs.sum()

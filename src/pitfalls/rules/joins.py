"""The joins of rule mining, written once as Ibis expressions, whichever engine carries them out.

Every function takes a table of facts with the columns `subject`, `relation` and `object`, in which
no row is twice, and gives a table of counts. Ids may be of any type: numbers are fastest.
"""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ibis.expr.types import Table
else:  # imported only by who mines
    Table: TypeAlias = object


def inverse_counts(facts: Table) -> Table:
    """How often body(s, o) → head(o, s) holds, could hold, and could be known to hold.

    Returns:
        Columns body, head, pairs, support, known; see `MinedRule` for what they count.
    """
    bodies = facts.filter(facts.subject != facts.object)
    body = bodies.select(body=bodies.relation, s=bodies.subject, o=bodies.object)
    turned = facts.select(head=facts.relation, s=facts.object, o=facts.subject)
    support = body.join(turned, ["s", "o"]).group_by(["body", "head"]).agg(support=_count)
    told = facts.select(head=facts.relation, o=facts.subject).distinct()
    ends = body.group_by(["body", "o"]).agg(pairs=_count)
    known = ends.join(told, "o").group_by(["body", "head"]).agg(known=_sum_of_pairs)
    sizes = body.group_by("body").agg(pairs=_count)
    both = support.join(known, ["body", "head"]).join(sizes, "body")
    return both.select("body", "head", "pairs", "support", "known")


def composition_counts(facts: Table, tied: Table) -> Table:
    """The same of tied(s, m) ∧ body(m, o) → head(s, o), for the facts of one tied relation.

    Pairs (s, o) are counted once however many m are between them. The three differ: where s = m,
    m = o or s = o, as in "France lies in the country France", nothing was put together.

    Args:
        facts: all facts.
        tied: the facts of the relation.

    Returns:
        The same columns.
    """
    first = tied.select(s=tied.subject, m=tied.object)
    second = facts.select(body=facts.relation, m=facts.subject, o=facts.object)
    first, second = first.filter(first.s != first.m), second.filter(second.m != second.o)
    joined = first.join(second, "m")
    reached = joined.filter(joined.s != joined.o).select("body", "s", "o").distinct()
    sizes = reached.group_by("body").agg(pairs=_count)
    heads = facts.select(head=facts.relation, s=facts.subject, o=facts.object)
    support = reached.join(heads, ["s", "o"]).group_by(["body", "head"]).agg(support=_count)
    told = heads.select("head", "s").distinct()
    starts = reached.group_by(["body", "s"]).agg(pairs=_count)
    known = starts.join(told, "s").group_by(["body", "head"]).agg(known=_sum_of_pairs)
    both = support.join(known, ["body", "head"]).join(sizes, "body")
    return both.select("body", "head", "pairs", "support", "known")


def _count(table: Table) -> object:
    return table.count()


def _sum_of_pairs(table: Table) -> object:
    return table.pairs.sum()

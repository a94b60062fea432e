"""Rules that the sieve passes over are those that the limits would refuse."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mined_graphs import EVERYTHING, make

from pitfalls.graph.graph import Graph, Triple
from pitfalls.graph.span import Span
from pitfalls.rules.engine import Engine
from pitfalls.rules.fact_table import FactTable
from pitfalls.rules.limits import Limits
from pitfalls.rules.mine import mine
from pitfalls.rules.sieve import Sieve

pytest.importorskip("ibis")

links = st.tuples(
    st.sampled_from("abcdefg"), st.sampled_from(["r", "s", "t"]), st.sampled_from("abcdefg")
)
wanted = st.builds(
    Limits,
    support=st.integers(1, 6),
    head_coverage=st.sampled_from([0.0, 0.2, 0.5]),
    confidence=st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.9, 1.0]),
    pca_confidence=st.sampled_from([0.0, 0.5]),
)


@given(st.sets(links, min_size=5, max_size=70), wanted, st.integers(0, 2))
@settings(max_examples=15, deadline=None)
def test_no_rule_within_the_limits_is_missed(
    triples: set[Triple], limits: Limits, dated: int
) -> None:
    graph = some_dated(sorted(triples), dated)
    every = mine(graph, EVERYTHING).rules
    assert mine(graph, limits).rules == tuple(each for each in every if limits.allow(each))


def some_dated(triples: list[Triple], share: int) -> Graph:
    """The graph in which a share of thirds of the facts held in one of two decades."""
    dice = Random(len(triples))
    decades = (Span((1980, 1, 1), (1989, 1, 1)),), (Span((1989, 1, 1), None),)
    spans = {triple: dice.choice(decades) for triple in triples if dice.randrange(3) < share}
    return make(triples, spans)


def test_the_pairs_of_a_hub_are_never_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Citizens of a country and its towns: a million pairs, and no rule that predicts them."""
    triples = [(f"person{n}", "citizen", "land") for n in range(1000)]
    triples += [("land", "town", f"town{n}") for n in range(1000)]
    triples += [(f"person{n}", "home", f"town{n}") for n in range(1000)]
    graph = make(triples)
    table = FactTable.of(graph, Engine.of(None))
    joined = []
    rows = Engine.rows

    def watched(self: Engine, told: object, deadline: float | None = None) -> list[dict[str, int]]:
        found = rows(self, told, deadline)
        joined.append(str(told))
        return found

    monkeypatch.setattr(Engine, "rows", watched)
    limits = Limits(support=1, confidence=0.1)
    assert Sieve(table, limits).compositions("citizen") == []
    counted = len(joined)
    (row,) = Sieve(table, replace(limits, confidence=0.0)).compositions("citizen")
    assert (row["pairs"], row["support"]) == (1_000_000, 1000)
    assert counted == 5, "three bounds from above and two from below"
    assert len(joined) - counted == 5, "three bounds from above, support and pairs"

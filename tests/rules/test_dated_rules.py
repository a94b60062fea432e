"""Rules over dated facts, against plain loops, in memory and from a store."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mined_graphs import EVERYTHING, make, stored

from pitfalls.facts import Entity, Fact
from pitfalls.graph.graph import Graph, Triple
from pitfalls.graph.span import ALWAYS, Span
from pitfalls.rules.mine import mine

pytest.importorskip("ibis")

dated = st.tuples(
    st.sampled_from("abc"), st.sampled_from(["r", "s"]), st.sampled_from("abc"),
    st.integers(0, 3) | st.none(), st.integers(0, 3) | st.none(),
)  # fmt: skip


@given(st.sets(dated, min_size=1, max_size=16))
@settings(max_examples=8, deadline=None)
def test_facts_that_never_held_together_support_no_rule(
    tmp_path_factory: pytest.TempPathFactory, told: set[tuple[Any, ...]]
) -> None:
    spans: dict[Triple, list[Span]] = {}
    for s, r, o, *years in told:
        start, end = (None if year is None else (1990 + year, 1, 1) for year in years)
        if start is None or end is None or start <= end:
            spans.setdefault((s, r, o), []).append(Span(start, end))
    if not spans:
        return
    held = {triple: tuple(found) for triple, found in spans.items() if ALWAYS not in found}
    graph = make(sorted(spans), held)
    supports, pairs = counted_by_hand(graph)
    mined = mine(graph, EVERYTHING)
    assert {str(each.rule): each.support for each in mined.rules} == supports
    for each in mined.rules:
        assert each.pairs == pairs[str(each.rule).split(">")[0]]
    assert mine(stored(graph, tmp_path_factory.mktemp("store")), EVERYTHING) == mined


def counted_by_hand(graph: Graph) -> tuple[dict[str, int], dict[str, int]]:
    """Rule → its support, and body → its pairs; `Graph.together` has tests of its own."""
    bodies: dict[str, list[tuple[Fact, ...]]] = {}
    for one in graph.facts:
        if one.subject != one.object:
            bodies.setdefault(one.relation.id, []).append((one,))
    for tied, body in product(graph.facts, repeat=2):
        ends = {tied.subject, body.subject, body.object}
        if tied.object == body.subject and len(ends) == 3 and graph.together(tied, body):
            name = f"{tied.relation.id}&{body.relation.id}"
            bodies.setdefault(name, []).append((tied, body))

    def pair(facts: tuple[Fact, ...]) -> tuple[Entity, Entity]:
        first, last = facts[0], facts[-1]
        turned = last.object, first.subject
        return turned if len(facts) == 1 else (first.subject, last.object)

    supports: dict[str, set[tuple[Entity, Entity]]] = {}
    for name, found in bodies.items():
        for facts, head in product(found, graph.facts):
            if (head.subject, head.object) == pair(facts) and graph.together(*facts, head):
                supports.setdefault(f"{name}>{head.relation.id}", set()).add(pair(facts))
    sizes = {name: len(set(map(pair, found))) for name, found in bodies.items()}
    return {rule: len(found) for rule, found in supports.items()}, sizes

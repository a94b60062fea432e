"""Traits of relations, from facts that can be counted by hand."""

from mined_graphs import FAMILY, make

from pitfalls.graph.graph import Triple
from pitfalls.graph.span import Span
from pitfalls.rules.traits import Traits, traits


def test_traits_are_counts_that_can_be_checked_by_hand() -> None:
    # Only of eve, who has two children, the graph gives several objects of one relation.
    assert traits(make(FAMILY))["spouse"] == Traits(3, 3, 3, 2, 2, 1, 1)
    assert traits(make(FAMILY))["child"] == Traits(3, 2, 1, 0, 0, 1, 0)
    assert traits(make(FAMILY))["child"].functionality == 2 / 3


def test_who_comes_one_after_the_other_is_one_at_a_time() -> None:
    triples: list[Triple] = [(f"land{n}", "king", f"king{n}{k}") for n in range(12) for k in "ab"]
    reigns = {
        each: (Span(None, (1900, 1, 1)) if each[2].endswith("a") else Span((1900, 1, 1), None),)
        for each in triples
    }
    assert traits(make(triples, reigns))["king"].functional
    assert traits(make(triples))["king"].many


def test_one_object_each_is_no_evidence_where_the_graph_never_gives_several() -> None:
    sparse: list[Triple] = [(f"film{n}", "producer", f"person{n}") for n in range(40)]
    found = traits(make(sparse))["producer"]
    assert found.single == found.subjects == 40
    assert not found.functional and not found.many
    genres: list[Triple] = [(f"film{n}", "genre", each) for n in range(40) for each in ("a", "b")]
    assert traits(make(sparse + genres))["producer"].functional
    assert traits(make(sparse + genres))["genre"].many

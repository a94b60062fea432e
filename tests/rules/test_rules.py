"""Rules: their notation and their instances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.starter import starter_graph
from pitfalls.rules.composition import CompositionRule
from pitfalls.rules.inverse import InverseRule
from pitfalls.rules.paper import COMPOSITE_RULES, REVERSE_RULES
from pitfalls.rules.rule import Rule
from pitfalls.rules.table import RULE_KINDS, parse_rule

names = st.text("abPQ0129_:/-é", min_size=1, max_size=6)


@given(names, names, names)
def test_a_rule_is_read_back_from_what_it_spells(a: str, b: str, c: str) -> None:
    for rule in (InverseRule(a, b), CompositionRule(a, b, c)):
        assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize("name", RULE_KINDS)
def test_a_kind_says_what_its_rules_are(name: str) -> None:
    kind = RULE_KINDS[name]
    rule = parse_rule(kind.example)
    assert type(rule) is kind and str(rule) == kind.example and kind.mark in kind.example
    assert kind.sorts[0] == name and rule.sort in kind.sorts
    assert {rule.body, rule.head} <= set(rule.relations)
    told = rule.words(lambda id: f"<{id}>")
    assert all(f"<{id}>(" in told for id in rule.relations)
    assert list(rule.instances(make([("a", "another", "b")]))) == []


@pytest.mark.parametrize(
    "text", ["", "P22", "P22>", ">P40", "P22>>P40", "P22 > P40", "P1&P2", "P1&P2&P3>P4", "&P1>P2"]
)
def test_what_is_no_rule_is_told(text: str) -> None:
    with pytest.raises(PitfallsError, match="expected the form 'P22>P40' or 'P40&P25>P26'"):
        parse_rule(text)


def test_the_papers_rules_are_all_there() -> None:
    assert [str(rule) for rule in REVERSE_RULES] == [
        "P22>P40", "P25>P40", "P185>P184", "P800>P170",
    ]  # fmt: skip
    assert [str(rule) for rule in COMPOSITE_RULES] == [
        "P40&P25>P26", "P25&P26>P22", "P39&P1001>P27", "P22&P40>P3373",
        "P40&P22>P26", "P22&P26>P25", "P800&P407>P1412",
    ]  # fmt: skip


def make(triples: list[Triple]) -> Graph:
    ends = sorted({end for s, _, o in triples for end in (s, o)})
    relations = sorted({relation for _, relation, _ in triples})
    return Graph(
        [Node(Entity(end, end)) for end in ends],
        [Predicate(Relation(id, id, f"The {id} of {{}} is")) for id in relations],
        triples,
    )


links = st.tuples(
    st.sampled_from("abcd"), st.sampled_from(["r", "s", "t"]), st.sampled_from("abcd")
)


@given(st.lists(links, max_size=24))
def test_instances_are_exactly_what_holds(triples: list[Triple]) -> None:
    graph, holds = make(triples), set(triples)

    def found(rule: Rule) -> set[tuple[Triple, ...]]:
        instances = list(rule.instances(graph))
        assert len(set(instances)) == len(instances)
        return {
            tuple((fact.subject.id, fact.relation.id, fact.object.id) for fact in facts)
            for facts in instances
        }

    inverse = {((x, r, y), (y, "s", x)) for x, r, y in holds if r == "r" and (y, "s", x) in holds}
    assert found(InverseRule("r", "s")) == inverse
    composed = {
        ((x, r, y), (y, "s", z), (x, "t", z))
        for x, r, y in holds
        for z in "abcd"
        if r == "r" and (y, "s", z) in holds and (x, "t", z) in holds
    }
    assert found(CompositionRule("r", "s", "t")) == composed


def test_a_graph_without_the_relations_has_no_instances() -> None:
    graph = make([("a", "r", "b")])
    assert list(InverseRule("r", "q").instances(graph)) == []
    assert list(CompositionRule("r", "q", "r").instances(graph)) == []


@pytest.mark.parametrize("rule", [*REVERSE_RULES, *COMPOSITE_RULES], ids=str)
def test_the_starter_graph_has_instances_of_every_rule(rule: Rule) -> None:
    assert sum(1 for _ in rule.instances(starter_graph())) >= 30

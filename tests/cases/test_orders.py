"""The builder makes what an order asks for, and accounts for every candidate."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import World, relation, worlds

from pitfalls.cases.build import build, build_cases
from pitfalls.cases.card import data_card
from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases
from pitfalls.cases.drafts import Draft
from pitfalls.cases.export import write_authors
from pitfalls.cases.kinds.coverage import PAPER_RELATIONS as COVERAGE_RELATIONS
from pitfalls.cases.kinds.table import recipe_of
from pitfalls.cases.order import Materials, Order
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Entity
from pitfalls.graph.by_name import Sourced
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.span import Span
from pitfalls.rules.table import parse_rule
from pitfalls.vocabulary import CASE_KINDS, DATASETS, ROUND_KINDS, CaseKind

kinds = st.sampled_from(CASE_KINDS)
CONFLICT = tuple(kind for kind in CASE_KINDS if kind not in ROUND_KINDS)


@given(worlds(), kinds, st.booleans(), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_every_candidate_is_accounted_for(
    world: World, kind: CaseKind, consistent: bool, count: int
) -> None:
    graph, order = world.graph(), Order(kind=kind, count=count, consistent=consistent)
    materials = Materials.of(graph, order)
    drafts: list[Draft] = list(recipe_of(kind).drafts(materials))
    candidates = len(drafts) + sum(materials.dropped.values())
    try:
        built = build(graph, order)
    except PitfallsError:
        return
    assert len(built.cases) + built.unused + sum(built.dropped.values()) == candidates
    assert len(built.cases) == count and built.unused >= 0


@given(worlds(), kinds)
@settings(max_examples=25, deadline=None)
def test_consistent_cases_can_all_be_made_in_one_model(world: World, kind: CaseKind) -> None:
    graph = world.graph()
    for count in (12, 6, 3):
        try:
            cases = build(graph, Order(kind=kind, count=count, consistent=True)).cases
        except PitfallsError:
            continue
        edited: dict[tuple[str, str], set[tuple[str, ...]]] = {}
        for case in cases:
            own: dict[tuple[str, str], tuple[str, ...]] = {}
            for edit in case.edits:
                key = (edit.subject.id, edit.relation.id)
                own[key] = (*own.get(key, ()), edit.new_object.id)
            for key, news in own.items():
                edited.setdefault(key, set()).add(news)
        assert all(len(news) == 1 for news in edited.values())


@given(worlds(), kinds, st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_neither_run_nor_order_of_the_graph_changes_a_byte(
    world: World, kind: CaseKind, order: int
) -> None:
    wanted = Order(kind=kind, count=4, seed=order, consistent=True)
    graph, other = world.graph(), world.graph(shuffle=Random(order))
    try:
        built = build(graph, wanted)
    except PitfallsError:
        return
    again = build(other, wanted)
    assert again == built
    one, two = (
        data_card(each, wanted, Sourced(it, "world"), origin="", licence="")
        for each, it in ((built, graph), (again, other))
    )
    assert one == two


def test_inconsistent_ones_are_dropped_for_that_reason() -> None:
    graph = World(14).graph()
    order = Order(kind="composite", count=60, consistent=True)
    assert build(graph, order).dropped["another case edits the same otherwise"] > 0
    assert build(graph, replace(order, consistent=False)).dropped == {}


def test_only_cases_whose_tie_is_known_are_kept() -> None:
    graph, order = World(14).graph(), Order(kind="composite", count=30)

    def knows(cases: Sequence[Case]) -> list[bool]:
        return ["elder" in case.first.subject.id + case.second.subject.id for case in cases]

    built = build(graph, order, knows=knows)
    assert all(knows(built.cases))
    assert built.dropped["the model does not know the tied fact"] > 0
    assert build(graph, order, knows=lambda cases: [True] * len(cases)) == build(graph, order)


def test_exclusive_conflicts_are_about_relations_of_one_object() -> None:
    graph = World(14).graph()
    for kind in CONFLICT:
        built = build(graph, Order(kind=kind, count=10, exclusive=True))
        contested = {case.second.relation.id for case in built.cases}
        # Parents have two children each here; siblings, in families of two, have one.
        assert "P40" not in contested and contested
    with pytest.raises(PitfallsError, match="exclusive round trips do not exist"):
        Order(kind="round-easy", count=1, exclusive=True)


def test_what_is_written_of_a_relation_counts_for_more_than_its_facts() -> None:
    graph = World(14).graph()
    written = [
        Predicate(each.relation, many=each.relation.id == "P184")
        for each in graph.predicates.values()
    ]
    triples: list[Triple] = [(f.subject.id, f.relation.id, f.object.id) for f in graph.facts]
    told = Graph(graph.nodes.values(), written, triples)
    order = Order(kind="reverse", count=5, exclusive=True, rules=(parse_rule("P185>P184"),))
    assert len(build(graph, order).cases) == 5
    with pytest.raises(PitfallsError, match=r"allows 0 .*dropped: its relation allows several"):
        build(told, order)


def test_other_rules_make_other_cases() -> None:
    graph = World(14).graph()
    rules = (parse_rule("P184>P185"), parse_rule("P22&P26>P25"), parse_rule("P26>P26"))
    for kind, rule in (("reverse", "P184>P185"), ("composite", "P22&P26>P25")):
        cases = build(graph, Order(kind=kind, count=8, rules=rules)).cases
        assert {case.rule for case in cases} == {rule}
    cases = build(graph, Order(kind="coverage", count=20, rules=rules)).cases
    assert {case.first.relation.id for case in cases} == {"P184", "P185", "P25", "P26"}
    chosen = build(graph, Order(kind="coverage", count=8, relations=("P27",))).cases
    assert {case.first.relation.id for case in chosen} == {"P27"}
    with pytest.raises(PitfallsError, match="no rule for reverse cases"):
        build(graph, Order(kind="reverse", count=1, rules=rules[1:]))
    with pytest.raises(UnknownNameError, match="unknown relation of the graph 'P2'"):
        build(graph, Order(kind="coverage", count=1, relations=("P2",)))


def small(aliases: tuple[str, ...] = (), ended: bool = False) -> Graph:
    """A child, its father, and two other fathers of whom one has other names."""
    names = {"a": "Ann", "f": "Frank", "g": "Gus", "h": "Hal", "b": "Bob", "c": "Cid"}
    nodes = [
        Node(Entity(id, label), "human", aliases if id == "g" else ())
        for id, label in names.items()
    ]
    triples = [("a", "P22", "f"), ("b", "P22", "g"), ("c", "P22", "h"), ("f", "P40", "a")]
    spans = {}
    if ended:
        spans = {
            triples[0]: (Span(None, (1990, 1, 1)),),
            triples[3]: (Span((1995, 1, 1), None),),
        }
    predicates = [Predicate(relation(id)) for id in ("P22", "P40")]
    return Graph(nodes, predicates, triples, spans)


def test_a_new_object_is_not_called_like_a_true_one() -> None:
    def of_ann(graph: Graph) -> set[str]:
        materials = Materials.of(graph, Order(kind="coverage", count=1))
        (old,) = (fact for fact in graph.facts if fact.subject.id == "a")
        lots = (materials.targets.draw(old, str(n)) for n in range(40))
        return {drawn.id for drawn in lots if drawn is not None}

    assert of_ann(small()) == {"g", "h"}
    assert of_ann(small(aliases=("FRANK",))) == {"h"}
    assert of_ann(small(aliases=("ann",))) == {"h"}


def test_facts_of_different_times_make_no_conflict() -> None:
    order = Order(kind="reverse", count=1, rules=(parse_rule("P22>P40"),))
    with pytest.raises(PitfallsError, match=r"allows 0 reverse cases, .*no new object is left"):
        build(small(), order)
    with pytest.raises(PitfallsError, match="dropped: its facts held at different times"):
        build(small(ended=True), order)


@pytest.mark.parametrize("data_set", DATASETS)
def test_cases_come_back_from_the_authors_layout(data_set: str, tmp_path: Path) -> None:
    kind = DATASETS[data_set]
    cases = build_cases(World(14).graph(), kind, count=4)
    write_authors(tmp_path, cases)
    assert load_cases(f"{tmp_path}:{data_set}") == cases
    path = write_authors(tmp_path, cases[:3])
    assert load_cases(f"{path}:{data_set}") == cases[:3]


def test_the_authors_prompts_are_kept_and_never_changed(tmp_path: Path) -> None:
    graph = World(14).graph()
    write_authors(tmp_path, build_cases(graph, "reverse", count=8))
    write_authors(tmp_path, build_cases(graph, "composite", count=8))
    assert load_cases(f"{tmp_path}:conflict/reverse") == build_cases(graph, "reverse", count=8)
    worded = [
        Predicate(replace(each.relation, paraphrases=())) for each in graph.predicates.values()
    ]
    triples: list[Triple] = [(f.subject.id, f.relation.id, f.object.id) for f in graph.facts]
    other = build_cases(Graph(graph.nodes.values(), worded, triples), "reverse", count=8)
    with pytest.raises(PitfallsError, match="words relation P170 otherwise"):
        write_authors(tmp_path, other)
    with pytest.raises(PitfallsError, match="holds cases of one kind, got no cases"):
        write_authors(tmp_path, [])


def test_the_card_says_what_is_in_the_file() -> None:
    graph = World(14, odd_labels={0: "Q42"}).graph()
    order = Order(kind="coverage", count=14)
    built = build(graph, order)
    source = Sourced(graph, "world", files={"triples.tsv": "ab" * 32})
    card = data_card(built, order, source, origin="pitfalls build", licence="CC0-1.0")
    for line in (
        "# 14 coverage cases",
        f"- graph: world, {len(graph)} facts of {len(graph.predicates)} relations",
        "- licence: CC0-1.0",
        "- file: triples.tsv, SHA-256 abab",
        "| became a case | 14 |",
        f"| not needed | {built.unused} |",
        "Cases that measure nothing: 0.",
    ):
        assert line in card
    for id in COVERAGE_RELATIONS:
        assert f"| relation of e1 | {id} label of {id} | 2 |" in card
    again = data_card(
        build(graph, order), order, source, origin="pitfalls build", licence="CC0-1.0"
    )
    assert again == card


def test_a_rule_has_cases_by_its_weight() -> None:
    graph = World(14).graph()
    good, bad = parse_rule("P22>P40"), parse_rule("P25>P40")
    for weight, share in ((1.0, 10), (0.25, 4)):
        order = Order(kind="reverse", count=20, rules=(good, bad), weights={bad: weight})
        rules = [case.rule for case in build(graph, order).cases]
        assert rules.count(str(bad)) == share
        assert str(bad) in rules[:5], "and all along the list"


def test_a_refusal_names_the_relations_that_would_do() -> None:
    full = World(14).graph()
    triples: list[Triple] = [
        (f.subject.id, f.relation.id, f.object.id)
        for f in full.facts
        if f.relation.id in ("P40", "P26")
    ]
    family = Graph(full.nodes.values(), full.predicates.values(), triples)
    with pytest.raises(PitfallsError, match=r"no facts of P69 .*; give --relation, such as P40"):
        build(family, Order(kind="round-easy", count=4))
    assert build(family, Order(kind="round-hard", count=4, relations=("P40",))).cases
    spouses = Graph(
        full.nodes.values(), full.predicates.values(), [t for t in triples if t[1] == "P26"]
    )
    with pytest.raises(PitfallsError, match=r"give other --rules: `pitfalls rules mine` finds"):
        build(spouses, Order(kind="reverse", count=4))
    with pytest.raises(PitfallsError, match=r"no facts of P22 .*such as P26"):
        build(spouses, Order(kind="coverage", count=4))


def test_what_is_known_of_a_relation_stands_in_for_facts() -> None:
    """Facts that show a relation to have several objects still count against it."""
    full = World(14).graph()
    triples: list[Triple] = [(f.subject.id, f.relation.id, f.object.id) for f in full.facts]
    for many, relation_id, allowed in (
        *((None, "P27", True), (False, "P27", True), (True, "P27", False)),
        *((None, "P40", False), (False, "P40", False)),
    ):
        known = [Predicate(each.relation, many=many) for each in full.predicates.values()]
        graph = Graph(full.nodes.values(), known, triples)
        order = Order(kind="coverage", count=1, relations=(relation_id,), exclusive=True)
        assert Materials.of(graph, order).excludes(relation_id) == allowed

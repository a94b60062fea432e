"""Laws of every case that the builder makes, whatever the graph."""

import re
import shlex
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import World, worlds

from pitfalls.cases.audit import drop_degenerate
from pitfalls.cases.build import build, build_cases
from pitfalls.cases.case import Case
from pitfalls.cases.case_file import read_header
from pitfalls.cases.collections import PACKAGED, load_cases, locate
from pitfalls.cases.consistency import first_problem
from pitfalls.cases.kinds.round_trip import other_objects
from pitfalls.cases.order import Order
from pitfalls.cases.plan import plan, subjects_of
from pitfalls.cli.main import main
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.graph.graph import Graph, true_triples
from pitfalls.graph.starter import starter_graph
from pitfalls.metrics.table import METRICS
from pitfalls.vocabulary import CASE_KINDS, DATASETS, ROUND_KINDS, CaseKind

kinds = st.sampled_from(CASE_KINDS)


def all_cases(graph: Graph, kind: CaseKind, seed: int = 0) -> list[Case]:
    """Every case that the graph allows; asking for too many must say how many that is."""
    with pytest.raises(PitfallsError, match=f"allows [0-9]+ {kind} cases, asked for") as refused:
        build_cases(graph, kind, count=10**6, seed=seed)
    allowed = int(re.findall("allows ([0-9]+)", str(refused.value))[0])
    return build_cases(graph, kind, count=allowed, seed=seed) if allowed else []


def false_edits(case: Case) -> tuple[Edit, ...]:
    """The edits that should make something false; the way back of a round trip does not."""
    return (case.first,) if case.kind in ROUND_KINDS else (case.first, case.second)


@given(worlds(), kinds, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_built_cases_are_sound(world: World, kind: CaseKind, seed: int) -> None:
    graph = world.graph()
    cases = all_cases(graph, kind, seed)
    assert len({case.id for case in cases}) == len(cases)
    known = {(fact.subject.id, fact.relation.id, fact.object.id) for fact in graph.facts}
    assert drop_degenerate(cases, known=known)[1] == []
    for case in cases:
        assert case.kind == kind
        assert first_problem(case) is None
        assert all(fact in graph for fact in case.triples)
        for edit in false_edits(case):
            assert edit.after not in graph
            assert edit.object is not None
            assert graph.type_of(edit.new_object) == graph.type_of(edit.object)
            labels = {edit.subject.label, edit.object.label}
            assert edit.new_object.label not in labels
        if kind in ROUND_KINDS:
            assert set(case.true_objects) == set(
                graph.objects(case.first.subject, case.first.relation)
            )


@given(worlds(), kinds)
@settings(max_examples=15, deadline=None)
def test_what_is_also_true_is_never_a_new_object_and_moves_no_other_draw(
    world: World, kind: CaseKind
) -> None:
    graph = world.graph()
    cases = all_cases(graph, kind)
    if not cases:
        return
    one = cases[0].first.after
    triple = (one.subject.id, one.relation.id, one.object.id)
    predicates = graph.predicates.values()
    facts = [(each.subject.id, each.relation.id, each.object.id) for each in graph.facts]
    wiser = Graph(graph.nodes.values(), predicates, facts, also_true=[triple])
    assert wiser.also_objects(one.subject, one.relation) == (one.object,)
    again = all_cases(wiser, kind)
    for case in again:
        assert one not in [edit.after for edit in false_edits(case)]
    if len(again) == len(cases):
        for old, new in zip(cases, again, strict=True):
            assert old == new or one in [edit.after for edit in (old.first, old.second)]


@given(worlds(), kinds, st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_subjects_to_avoid_are_in_no_plan(world: World, kind: CaseKind, seed: int) -> None:
    graph = world.graph()
    cases = all_cases(graph, kind)
    avoid = subjects_of(cases[: max(1, len(cases) // 3)])
    order = Order(kind=kind, count=10**6, seed=seed, avoid=avoid)
    allowed = re.compile(f"allows ([0-9]+) {kind} cases")
    with pytest.raises(PitfallsError) as refused:
        build(graph, order)
    count = int(allowed.findall(str(refused.value))[0])
    others = [case for case in all_cases(graph, kind, seed) if not plan(case).subjects & avoid]
    assert count == len(others)
    if count:
        assert not subjects_of(build(graph, replace(order, count=count)).cases) & avoid


@given(worlds(), kinds)
@settings(max_examples=25, deadline=None)
def test_an_implied_fact_is_news(world: World, kind: CaseKind) -> None:
    graph = world.graph()
    for case in all_cases(graph, kind):
        for probe in plan(case).probes["theta0"]:
            if probe.name == "new_implicit":
                assert probe.fact not in graph


@given(worlds(), kinds, st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_facts_does_not_matter(world: World, kind: CaseKind, order: int) -> None:
    graph, other = world.graph(), world.graph(shuffle=Random(order))
    assert graph.facts == other.facts
    assert all_cases(graph, kind) == all_cases(other, kind)


@given(worlds(), kinds)
@settings(max_examples=15, deadline=None)
def test_a_shorter_list_is_the_start_of_a_longer_one(world: World, kind: CaseKind) -> None:
    graph = world.graph()
    cases = all_cases(graph, kind)
    if cases:
        assert build_cases(graph, kind, count=1) == cases[:1]


@given(worlds(), kinds)
@settings(max_examples=15, deadline=None)
def test_a_plan_reads_what_the_metrics_need(world: World, kind: CaseKind) -> None:
    for case in all_cases(world.graph(), kind):
        planned = plan(case)
        assert set(planned.states) == set(planned.probes)
        assert all(a != b for a, b in combinations(planned.states.values(), 2))
        read = {(state, probe.name) for state, probes in planned.probes.items() for probe in probes}
        # A coverage case's new fact has one wording only; records call it `new` as well.
        read |= {(state, "new") for state, name in read if name == "new_explicit"}
        for metric in METRICS.values():
            if kind in metric.kinds:
                for definition in metric.presets.values():
                    assert set(definition.needs) <= read, metric.name
        others = [name for state, name in read if state == "theta0" and name.startswith("other/")]
        assert len(others) == len(other_objects(case))


def test_seeds_differ_and_one_seed_does_not() -> None:
    graph = World(12).graph()
    for kind in CASE_KINDS:
        first, again, other = (build_cases(graph, kind, count=5, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert first != other


def test_cases_are_spread_evenly_over_rules_and_relations() -> None:
    graph = starter_graph()
    for kind, strata in (("coverage", 7), ("reverse", 4), ("composite", 7)):
        spread: dict[str, int] = {}
        for case in build_cases(graph, kind, count=5 * strata):
            key = case.rule or case.first.relation.id
            spread[key] = spread.get(key, 0) + 1
        assert spread == dict.fromkeys(spread, 5)
        assert len(spread) == strata


def test_easy_trips_start_closer_to_the_other_true_objects_than_hard_ones() -> None:
    graph = starter_graph()
    way = {
        kind: {
            (case.first.subject.id, case.first.relation.id): case for case in all_cases(graph, kind)
        }
        for kind in ROUND_KINDS
    }
    shared = set(way["round-easy"]) & set(way["round-hard"])
    assert len(shared) > 50
    for key in shared:
        easy, hard = way["round-easy"][key], way["round-hard"][key]
        assert len(easy.true_objects) > 2, "a pair is either easy or hard"
        assert easy.first.object != hard.first.object
        if graph.type_of(easy.second.new_object) == graph.type_of(hard.second.new_object):
            assert easy.first.new_object == hard.first.new_object


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(PitfallsError, match="count: got 0; input should be"):
        build_cases(World(3).graph(), "coverage", count=0)


@pytest.mark.parametrize("data_set", DATASETS)
@pytest.mark.parametrize(("collection", "least"), [("starter", 60), ("tuning", 20)])
def test_the_packaged_cases_are_what_their_first_line_builds(
    collection: str, least: int, data_set: str, tmp_path: Path
) -> None:
    shipped = locate(f"{collection}:{data_set}").path
    header = read_header(shipped)
    assert header.count >= least
    program, *words = shlex.split(header.origin)
    assert program == "pitfalls"
    with pytest.raises(SystemExit) as end:
        main([*words, "--out", str(tmp_path / "again.jsonl")])
    assert end.value.code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == shipped.read_bytes(), (
        f"run: {header.origin} --out {shipped}"
    )


def test_packaged_cases_edit_towards_nothing_that_is_true() -> None:
    true = true_triples(starter_graph())
    for collection, data_set in product(PACKAGED, DATASETS):
        for case in load_cases(f"{collection}:{data_set}"):
            read = plan(case).probes["theta_prime"]
            news = [edit.after for edit in false_edits(case)]
            news += [probe.fact for probe in read if probe.name == "new_implicit"]
            for fact in news:
                assert (fact.subject.id, fact.relation.id, fact.object.id) not in true, case.id

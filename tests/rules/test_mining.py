"""Mined numbers against sums on paper, the paper's rules in real data, and what a relation is."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.span import ALWAYS, Span
from pitfalls.graph.store import Store
from pitfalls.graph.tables import make_tables
from pitfalls.graph.writer import StoreWriter
from pitfalls.rules.counterexamples import with_counterexamples
from pitfalls.rules.engine import Engine, Late
from pitfalls.rules.mine import Limits, MinedRule, mine
from pitfalls.rules.rule import parse_rule
from pitfalls.rules.traits import Traits, traits

pytest.importorskip("ibis")

SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[2] / ".." / "shared"))
EVERYTHING = Limits(support=1, head_coverage=0.0, confidence=0.0, pca_confidence=0.0)


def make(triples: list[Triple], spans: dict[Triple, tuple[Span, ...]] | None = None) -> Graph:
    ends = sorted({end for s, _, o in triples for end in (s, o)})
    relations = sorted({relation for _, relation, _ in triples})
    return Graph(
        [Node(Entity(end, end)) for end in ends],
        [Predicate(Relation(id, id, f"The {id} of {{}} is")) for id in relations],
        triples,
        spans or {},
    )


FAMILY: list[Triple] = [
    *(("ann", "mother", "eve"), ("bob", "mother", "eve"), ("cid", "mother", "fay")),
    *(("eve", "child", "ann"), ("eve", "child", "dan"), ("gus", "child", "ann")),
    *(("eve", "spouse", "gus"), ("gus", "spouse", "eve"), ("fay", "spouse", "hal")),
]


def test_the_numbers_are_those_of_a_sum_on_paper() -> None:
    found = {str(each.rule): each for each in mine(make(FAMILY), EVERYTHING).rules}
    # mother(x, y) → child(y, x): ann's holds; bob's is wrong, as eve has children; fay has none.
    assert found["mother>child"] == MinedRule(parse_rule("mother>child"), 1, 3, 2, 3)
    # child(gus, ann) ∧ mother(ann, eve) → spouse(gus, eve); eve herself is no third person, and
    # dan has no mother here.
    assert found["child&mother>spouse"] == MinedRule(parse_rule("child&mother>spouse"), 1, 1, 1, 3)
    # mother(x, y) ∧ spouse(y, z) → father: there is no such relation here.
    assert "mother&spouse>father" not in found
    # eve and gus say so of each other; hal says nothing.
    assert found["spouse>spouse"] == MinedRule(parse_rule("spouse>spouse"), 2, 3, 2, 3)
    assert found["spouse>spouse"].sort == "symmetric"
    rule = found["mother>child"]
    assert (rule.confidence, rule.pca_confidence, rule.head_coverage) == (1 / 3, 1 / 2, 1 / 3)


links = st.tuples(
    st.sampled_from("abcd"), st.sampled_from(["r", "s", "t"]), st.sampled_from("abcd")
)


@given(st.sets(links, min_size=1, max_size=30))
@settings(max_examples=15, deadline=None)
def test_the_joins_count_what_plain_loops_count(triples: set[Triple]) -> None:
    holds, relations = triples, sorted({r for _, r, _ in triples})
    expected = {}
    for body, head in product(relations, repeat=2):
        pairs = {(o, s) for s, r, o in holds if r == body and s != o}
        expected[f"{body}>{head}"] = counted(pairs, head, holds)
    for tied, body, head in product(relations, repeat=3):
        pairs = {
            (x, z)
            for x, r1, y in holds
            for y2, r2, z in holds
            if (r1, r2, y) == (tied, body, y2) and len({x, y, z}) == 3
        }
        expected[f"{tied}&{body}>{head}"] = counted(pairs, head, holds)
    mined = mine(make(sorted(triples)), EVERYTHING).rules
    found = {str(each.rule): (each.support, each.pairs, each.known) for each in mined}
    assert found == {rule: counts for rule, counts in expected.items() if counts[0]}


def counted(pairs: set[tuple[str, str]], head: str, holds: set[Triple]) -> tuple[int, int, int]:
    told = {s for s, r, _ in holds if r == head}
    support = sum((x, head, z) in holds for x, z in pairs)
    return support, len(pairs), sum(x in told for x, _ in pairs)


def test_limits_leave_out_what_they_say() -> None:
    graph = make(FAMILY)
    rules = mine(graph, EVERYTHING).rules
    for limits in (
        replace(EVERYTHING, support=2),
        replace(EVERYTHING, head_coverage=0.5),
        replace(EVERYTHING, pca_confidence=0.9),
        replace(EVERYTHING, confidence=0.5),
    ):
        kept = mine(graph, limits).rules
        assert kept == tuple(each for each in rules if limits.allow(each))
        assert 0 < len(kept) < len(rules)


def test_out_of_time_it_says_what_it_left_out() -> None:
    late = replace(EVERYTHING, seconds=0.0)
    mined = mine(make(FAMILY), late)
    assert mined.left_out == ("child", "mother", "spouse")
    assert not mined.inverse and mined.rules == ()
    whole = mine(make(FAMILY), EVERYTHING)
    assert whole.inverse and whole.left_out == ()
    assert mine(make(FAMILY), replace(late, seconds=600.0)) == whole


def test_a_join_is_stopped_in_the_middle_when_the_time_is_up() -> None:
    import ibis

    engine = Engine.of(None)
    endless = ibis.range(10**7).unnest().name("n").as_table()
    endless = endless.cross_join(endless.view()).agg(pairs=ibis._.count())
    start = time.monotonic()
    with pytest.raises(Late):
        engine.rows(endless, start + 0.3)
    assert 0.3 <= time.monotonic() - start < 30
    assert engine.rows(ibis.memtable(pa.table({"n": [1]}))) == [{"n": 1}], "it goes on working"


dated = st.tuples(
    st.sampled_from("abc"), st.sampled_from(["r", "s"]), st.sampled_from("abc"),
    st.integers(0, 3) | st.none(), st.integers(0, 3) | st.none(),
)  # fmt: skip


@given(st.sets(dated, min_size=1, max_size=16))
@settings(max_examples=8, deadline=None)
def test_facts_that_never_held_together_support_no_rule(
    tmp_path_factory: pytest.TempPathFactory, told: set[tuple[Any, ...]]
) -> None:
    """Against plain loops over what the graph says of times, in memory and from a store."""
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
    """Rule → its support, and body → its pairs; the builder's own test says what held together."""
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


def stored(graph: Graph, folder: Path) -> Store:
    writer = StoreWriter.begin(folder, {}, resume=False)
    for id in (*graph.nodes, *graph.predicates):
        writer.name("", id, f"word {id}")  # a letter alone makes no prompts
    for fact in graph.facts:
        for span in graph.spans_of(fact):
            days = (
                day and "-".join(f"{part:02}" for part in day) for day in (span.start, span.end)
            )
            triple = fact.subject.id, fact.relation.id, fact.object.id
            writer.fact("", triple, *(day or "" for day in days))
    writer.keep(stage="read")
    make_tables(writer)
    return Store.open(folder)


def test_a_store_is_mined_like_the_graph_in_it(tmp_path: Path) -> None:
    assert mine(stored(make(FAMILY), tmp_path), EVERYTHING) == mine(make(FAMILY), EVERYTHING)


def test_another_connection_counts_the_same() -> None:
    import ibis

    assert mine(make(FAMILY), EVERYTHING, engine=ibis.duckdb.connect()) == mine(
        make(FAMILY), EVERYTHING
    )


@pytest.mark.filterwarnings("ignore")  # Spark's own, about the versions of others
def test_spark_counts_the_same(tmp_path: Path) -> None:
    pyspark = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    import ibis

    builder = pyspark.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    try:
        spark = ibis.pyspark.connect(session)
        reigns = {FAMILY[0]: (Span((1990, 1, 1), None),), FAMILY[3]: (Span(None, (1989, 1, 1)),)}
        for graph in (make(FAMILY), make(FAMILY, reigns)):
            assert mine(graph, EVERYTHING, engine=spark) == mine(graph, EVERYTHING)
        store = stored(make(FAMILY, reigns), tmp_path)
        assert mine(store, EVERYTHING, engine=spark) == mine(store, EVERYTHING)
    finally:
        session.stop()


REAL = """
import sys
from pitfalls.graph.by_name import open_graph
from pitfalls.rules.mine import mine
from pitfalls.rules.rule import COMPOSITE_RULES, REVERSE_RULES
from pitfalls.rules.traits import traits

graph = open_graph(sys.argv[1]).graph
mined = mine(graph)
inverse = [each.rule for each in mined.of("inverse")]
composed = [each.rule for each in mined.of("composition")]
assert max(inverse.index(rule) for rule in REVERSE_RULES) < 12
assert max(composed.index(rule) for rule in COMPOSITE_RULES) < 30
assert {*REVERSE_RULES, *COMPOSITE_RULES} <= {each.rule for each in mined.rules}
found = traits(graph)
assert all(found[id].functional for id in ("P22", "P25", "P26", "P184"))
assert all(found[id].many for id in ("P40", "P800", "P69", "P136", "P166", "P1411"))
assert {id for id in ("P26", "P22", "P530", "P27") if found[id].symmetric} == {"P26", "P530"}
"""


def test_the_papers_rules_are_among_the_first_in_real_data() -> None:
    """In a process of its own: checking types of a third of a million facts takes minutes."""
    folder = SHARED / "data" / "kg"
    if not folder.is_dir():
        pytest.skip(f"no graph in {folder}; PITFALLS_SHARED names another place")
    command = [sys.executable, "-c", REAL, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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


def test_a_rule_is_shown_where_it_is_wrong_most_often(tmp_path: Path) -> None:
    """Against plain loops, in memory and from a store."""
    borders = [("ab", "bc", "cd", "bd", "be", "ea"), ("pq", "qr")]
    triples: list[Triple] = [(x, "border", y) for part in borders for x, y in part]
    triples += [(y, "border", x) for x, _, y in triples]
    graph = make(sorted(set(triples)))
    (rule,) = mine(graph, EVERYTHING).of("composition")
    wrong: dict[str, list[tuple[str, str, str]]] = {}
    for (x, _, y), (y2, _, z) in product(triples, repeat=2):
        if y == y2 and x != z and (x, "border", z) not in triples:
            wrong.setdefault(x, []).append((x, y, z))
    worst = max(len({z for *_, z in found}) for found in wrong.values())
    ((told, example),) = with_counterexamples(graph, [rule])
    assert told == rule and example in wrong[example[0]]
    assert len({z for *_, z in wrong[example[0]]}) == worst
    ((_, labels),) = with_counterexamples(stored(graph, tmp_path), [rule])
    assert labels == tuple(f"word {each}" for each in example)
    (symmetric,) = mine(graph, EVERYTHING).of("symmetric")
    assert list(with_counterexamples(graph, [symmetric])) == [(symmetric, ())]


def test_a_known_inverse_needs_no_confidence() -> None:
    triples: list[Triple] = [("eve", "mother_of", "ann"), ("ann", "child_of", "eve")]
    triples += [(f"p{n}", "mother_of", "x") for n in range(9)] + [("x", "child_of", "ann")]
    ends = sorted({end for s, _, o in triples for end in (s, o)})
    strict = replace(EVERYTHING, pca_confidence=0.9)
    for inverse in ((), ("child_of",)):
        predicates = [
            Predicate(Relation("mother_of", "", "The child of {} is"), inverse=inverse),
            Predicate(Relation("child_of", "", "The mother of {} is")),
        ]
        graph = Graph([Node(Entity(end, end)) for end in ends], predicates, triples)
        rules = {str(each.rule): each for each in mine(graph, strict).rules}
        assert ("mother_of>child_of" in rules) == bool(inverse)

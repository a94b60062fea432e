"""Mined rules and their measures, against counts by hand, plain loops and the paper's rules."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mined_graphs import EVERYTHING, FAMILY, make, stored

from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.span import Span
from pitfalls.rules.engine import Engine, Late
from pitfalls.rules.limits import MinedRule
from pitfalls.rules.mine import mine
from pitfalls.rules.table import parse_rule

pytest.importorskip("ibis")

SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[2] / ".." / "shared"))


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
    assert mined.not_counted == ("inverse", "symmetric") and mined.rules == ()
    whole = mine(make(FAMILY), EVERYTHING)
    assert whole.not_counted == whole.left_out == ()
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
from pitfalls.rules.paper import COMPOSITE_RULES, REVERSE_RULES
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
    """Runs in a process of its own, as type checks on 370,000 facts would take minutes."""
    folder = SHARED / "data" / "kg"
    if not folder.is_dir():
        pytest.skip(f"no graph in {folder}; PITFALLS_SHARED names another place")
    command = [sys.executable, "-c", REAL, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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

"""`--engine`: the same rules and cases from DuckDB and Spark; what is missing is told in a line."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mined_graphs import EVERYTHING, FAMILY, make, stored

from pitfalls.cli.main import main
from pitfalls.errors import PitfallsError
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.graph import Graph
from pitfalls.graph.starter import starter_graph
from pitfalls.graph.store import Store
from pitfalls.rules.counterexamples import with_counterexamples
from pitfalls.rules.engine import Engine
from pitfalls.rules.engine_select import select_by
from pitfalls.rules.engines import open_engine
from pitfalls.rules.mine import mine

pytest.importorskip("ibis")

RELATIONS = ("P22", "P25", "P26", "P40")
"""Parents, spouses and children of real people."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of some relations of the starter graph; types of some entities are missing."""
    folder, graph = tmp_path_factory.mktemp("graph"), starter_graph()
    facts = [fact for id in RELATIONS for fact in graph.facts_of(graph.relation(id))]
    ends = {end.id: end for fact in facts for end in (fact.subject, fact.object)}
    nodes = [graph.nodes[id] for id in sorted(ends)]
    tables = {
        "triples": ["subject\trelation\tobject"]
        + [f"{fact.subject.id}\t{fact.relation.id}\t{fact.object.id}" for fact in facts],
        "entities": ["id\tlabel\taliases", "T0\thuman\t"]
        + [f"{n.entity.id}\t{n.entity.label}\t{'|'.join(n.aliases)}" for n in nodes],
        "types": ["entity\ttype"] + [f"{n.entity.id}\tT0" for n in nodes[::2]],
        "relations": ["id\tlabel"] + [f"{id}\t{graph.relation(id).label}" for id in RELATIONS],
    }
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    convert_folder(folder, folder / "store")
    return Store.open(folder / "store")


@pytest.fixture(params=["duckdb", "spark:local[1]"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param != "duckdb":
        pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
        if shutil.which("java") is None:
            pytest.skip("Spark needs Java, which is not installed")
    yield request.param


@pytest.mark.filterwarnings("ignore")  # Spark's own, about the versions of others
def test_an_engine_finds_the_same_rules_and_cases(
    engine: str, real: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for place, words in (("default", []), ("engine", ["--engine", engine])):
        out = tmp_path / place
        out.mkdir()
        source = ["--from", str(real.folder), *words]
        ended(["rules", "mine", "--support", "5", "--out", str(out / "rules.tsv"), *source])
        kind = ["--kind", "composite", "--count", "5", "--rules", "P26&P40>P40"]
        ended(["build", *kind, "--out", str(out / "cases.jsonl"), *source])
        made[place] = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    assert made["engine"] == made["default"] and len(made["engine"]) == 3
    assert made["engine"]["rules.tsv"].count(b"\n") > 3
    capsys.readouterr()


@pytest.mark.filterwarnings("ignore")
def test_an_engine_reads_the_same_graph(engine: str, real: Store, tmp_path: Path) -> None:
    with open_engine(engine) as opened:
        for relations in ({"P22", "P40"}, set(), None):
            assert same(real.graph(relations, select=select_by(opened)), real.graph(relations))
        graph, store = make(FAMILY), stored(make(FAMILY), tmp_path)
        for source in (graph, store):
            found = mine(source, EVERYTHING, engine=opened)
            assert found == mine(source, EVERYTHING)
            told = with_counterexamples(source, found.rules, opened)
            assert dict(told) == dict(with_counterexamples(source, found.rules))


def same(one: Graph, other: Graph) -> bool:
    roles = [
        [graph.roles_of(node.entity) for node in graph.nodes.values()] for graph in (one, other)
    ]
    return (
        one.facts == other.facts
        and dict(one.nodes) == dict(other.nodes)
        and len(set(map(str, roles))) == 1
    )


def ended(words: list[str], status: int = 0) -> None:
    with pytest.raises(SystemExit) as told:
        main(words)
    assert told.value.code == status


def refused(name: str, line: str) -> None:
    with pytest.raises(PitfallsError, match=line), open_engine(name):
        pass


@pytest.mark.parametrize("name", ["", "zzz", "duckdb:x", "spark:", "sparky"])
def test_another_engine_is_refused(name: str) -> None:
    with (
        pytest.raises(PitfallsError, match=r"--engine .*: expected duckdb, spark or spark:URL"),
        open_engine(name),
    ):
        pass


def test_what_spark_needs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with (
        pytest.raises(PitfallsError, match=r"--engine spark:local\[\*\]: needs Java"),
        open_engine("spark"),
    ):
        pass
    java.parent.mkdir()
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    with (
        pytest.raises(PitfallsError, match="spark://localhost:1: no cluster answers there"),
        open_engine("spark:spark://localhost:1"),
    ):
        pass
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with (
        pytest.raises(PitfallsError, match=r"needs PySpark: pip install 'pitfalls\[spark\]'"),
        open_engine("spark"),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("rules mine --engine zzz", "--engine 'zzz': expected duckdb"),
        ("rules mine --memory zzz", "--memory 'zzz': expected a size"),
        ("build --kind reverse --out {tmp}/x.jsonl --engine duckdb", "--engine reads a store"),
        (
            "build --kind reverse --out {tmp}/x.jsonl --memory 4GB",
            "--memory is that of an --engine",
        ),
    ],
)
def test_wrong_options_are_told_in_a_line(
    words: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(words.format(tmp=tmp_path).split(), 2)
    (told,) = capsys.readouterr().err.splitlines()
    assert line in told


def test_mining_in_too_little_memory_is_told() -> None:
    import ibis

    large = ibis.range(10**6).unnest().name("n").as_table()
    with pytest.raises(PitfallsError, match="out of memory: give a larger --memory"):
        Engine.of(None, 2**20).rows(large.group_by("n").agg(size=ibis._.count()))

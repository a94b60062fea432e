"""A store has the content of its source files, in any order, and is made in bounded memory."""

from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_folder import TABLES, TRIPLES, WRITERS, put

from pitfalls.errors import PitfallsError
from pitfalls.graph.by_name import find_store, open_graph
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.folder import read_folder
from pitfalls.graph.graph import Graph
from pitfalls.graph.note import NAME
from pitfalls.graph.store import TABLES as TABLES_OF_A_STORE
from pitfalls.graph.store import Store
from pitfalls.graph.tables import make_tables
from pitfalls.graph.writer import StoreWriter

pytest.importorskip("duckdb")


def same(one: Graph, other: Graph) -> bool:
    return (
        one.facts == other.facts
        and dict(one.nodes) == dict(other.nodes)
        and dict(one.predicates) == dict(other.predicates)
        and [one.spans_of(fact) for fact in one.facts]
        == [other.spans_of(fact) for fact in other.facts]
    )


@pytest.mark.parametrize("ending", WRITERS)
def test_a_store_is_the_folder_it_was_made_of(ending: str, tmp_path: Path) -> None:
    folder = put(tmp_path, ending)
    bad = convert_folder(folder, tmp_path / "store")
    assert list(bad.lines()) == []
    store = find_store(str(tmp_path / "store"))
    assert store is not None and find_store(str(folder)) is None
    graph, _ = read_folder(folder)
    assert same(store.graph(), graph)
    assert (store.note.facts, store.note.entities, store.note.relations) == (3, 4, 2)
    opened = open_graph(str(tmp_path / "store"))
    assert same(opened.graph, graph) and set(opened.files) == {
        *(f"{name}.parquet" for name in ("facts", "entities", "relations", "aliases")),
        "relations.toml",
    }
    assert len(store.graph([])) == 0


def test_n_triples_and_written_prompts_come_along(tmp_path: Path) -> None:
    (tmp_path / "triples.nt").write_text(TRIPLES, "utf-8")
    prompts = (
        '[[relation]]\nid = "P22"\nlabel = "sire"\nprompt = "The sire of {} is"\nquery = ""\n'
        'paraphrases = []\nmany = true\nsubject_type = ""\nobject_type = ""\n'
    )
    (tmp_path / "relations.toml").write_text(prompts, "utf-8")
    bad = convert_folder(tmp_path, tmp_path / "store")
    assert bad.counts == {"not a triple": 1}
    store = Store.open(tmp_path / "store")
    assert same(store.graph(), read_folder(tmp_path)[0])
    assert store.graph().relation("P22").prompt == "The sire of {} is"


BROKEN = {
    "no label": ("Q1\tP22\tQ99\t\t\n", "the object has no label", "Q99"),
    "none at all": ("Q98\tP22\tQ99\t\t\n", "the subject has no label", "Q98"),
    "no date": ("Q1\tP22\tQ2\tyesterday\t\n", "not a span of time", "triples.tsv: line 6"),
    "no words": ("Q1\tP77\tQ2\t\t\n", "a relation without label or prompts", "P77"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_left_out_is_told(broken: str, tmp_path: Path) -> None:
    line, reason, where = BROKEN[broken]
    folder = put(tmp_path, ".tsv", triples=TABLES["triples"] + line)
    convert_folder(folder, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    (told,) = store.bad.lines()
    assert told.startswith(f"left out 1 lines: {reason}") and told.endswith(f"({where})")
    assert len(store.graph()) == 3


ids = st.sampled_from("abcdef")
years = st.sampled_from(["", "1990", "2000-02"])
rows = st.lists(st.tuples(ids, st.sampled_from(["P22", "P7"]), ids, years), min_size=1, max_size=25)


@given(rows, st.integers(0, 99), st.integers(1, 9))
@settings(max_examples=12, deadline=None)
def test_order_and_size_of_the_parts_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str, str]],
    order: int,
    at_once: int,
) -> None:
    made = []
    for number, size in enumerate((10**6, at_once)):
        told = [("fact", (s, r, o), year, "") for s, r, o, year in rows]
        told += [("type", each, f"t{ord(each) % 3}") for each in "abcde"]
        told += [("alias", each, f"{each}{n}") for each in "abc" for n in (1, 2)]
        told += [("name", "", each, f"The {each}") for each in ("P7", *"abcdef")]
        if number:
            Random(order).shuffle(told)
        writer = StoreWriter.begin(tmp_path_factory.mktemp("store"), {}, resume=False)
        writer.at_once = size
        for how, *what in told:
            getattr(writer, how)(*(("",) if how == "fact" else ()), *what)
        writer.keep(stage="read")
        make_tables(writer)
        made.append(Store.open(writer.folder).graph())
    assert same(*made)
    assert {(f.subject.id, f.relation.id, f.object.id) for f in made[0].facts} == {
        row[:3] for row in rows
    }


def test_chosen_relations_are_the_same_facts_with_the_same_ends(tmp_path: Path) -> None:
    store = converted(tmp_path)
    whole, part = store.graph(), store.graph({"P22", "P1"})
    assert part.facts == whole.facts_of(whole.relation("P22"))
    assert dict(part.predicates) == dict(whole.predicates)
    assert dict(part.nodes) == {id: whole.nodes[id] for id in ("Q1", "Q2")}


def converted(tmp_path: Path) -> Store:
    convert_folder(put(tmp_path, ".tsv"), tmp_path / "store")
    return Store.open(tmp_path / "store")


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    store = converted(tmp_path)
    pq.write_table(pa.table({"id": ["Q1"]}), tmp_path / "other.parquet")
    with pytest.raises(PitfallsError, match=r"was started with files .* give another --out"):
        convert_folder(put(tmp_path, ".tsv", triples=TABLES["triples"] * 2), store.folder)
    facts = store.facts.read_bytes()
    store.facts.write_bytes(b"---" + facts)
    Store.open(store.folder)
    with pytest.raises(PitfallsError, match=r"facts.parquet is damaged .*make the store again"):
        store.verify()
    for table in TABLES_OF_A_STORE:
        path = store.folder / f"{table}.parquet"
        sound = path.read_bytes() if table != "facts" else facts
        path.unlink()
        for content in (None, b"nothing", (tmp_path / "other.parquet").read_bytes()):
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(PitfallsError, match=rf"{table}.parquet.*make the store again"):
                Store.open(store.folder)
        path.write_bytes(sound)
    Store.open(store.folder).verify()
    store.facts.write_bytes(b"nothing")
    with pytest.raises(PitfallsError, match=r"facts.parquet is damaged"):
        store.graph()
    note = store.folder / NAME
    note.write_text(note.read_text("utf-8").replace('"schema_version":1', '"schema_version":2'))
    with pytest.raises(PitfallsError, match=r"store.json: schema_version: .* make the store again"):
        Store.open(store.folder)
    with pytest.raises(PitfallsError, match="no such folder, expected one of triples and labels"):
        convert_folder(tmp_path / "nowhere", tmp_path / "other")

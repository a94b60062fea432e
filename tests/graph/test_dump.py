"""A Wikidata dump gives the same graph in every compression, even after an interruption."""

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("duckdb")

from pitfalls.disk import write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.graph import tables, writer
from pitfalls.graph.dump import Wish, read_dump
from pitfalls.graph.span import ALWAYS, Span
from pitfalls.graph.store import TABLES, Store


def date(text: str, precision: int) -> dict[str, Any]:
    return {"snaktype": "value", "datavalue": {"value": {"time": text, "precision": precision}}}


def claim(object: str, rank: str = "normal", **qualifiers: dict[str, Any]) -> dict[str, Any]:
    value = {"type": "wikibase-entityid", "value": {"id": object}}
    return {
        "mainsnak": {"snaktype": "value", "datavalue": value},
        "rank": rank,
        "qualifiers": {name: [each] for name, each in qualifiers.items()},
    }


def entity(id: str, label: str, language: str = "en", **claims: list[Any]) -> str:
    words = {language: {"value": label}}
    return json.dumps({"id": id, "labels": words, "aliases": {}, "claims": claims})


UNKNOWN = {"mainsnak": {"snaktype": "somevalue"}, "rank": "normal"}
LINES = [
    "[",
    entity("P35", "head of state") + ",",
    entity("P99", "something else") + ",",
    json.dumps({"id": "Q1", "labels": {"en": {"value": "Land"}},
                "aliases": {"en": [{"value": "The  Land"}, {"value": "a|b"}]},
                "claims": {"P31": [claim("Q500")], "P35": [
                    claim("Q2", P580=date("+1952-03-07T00:00:00Z", 11)),
                    claim("Q3", P582=date("+1952-03-00T00:00:00Z", 10)),
                    claim("Q4", "deprecated"), UNKNOWN]}}) + ",",
    entity("Q2", "Two", P35=[claim("Q3", "preferred", P585=date("+1900-01-01T00:00:00Z", 9)),
                             claim("Q4")]) + ",",
    "{ broken",
    '{"labels": {}}',
    entity("Q3", "Three", "mul", P35=[claim("Q1", P580=date("+1900-00-00T00:00:00Z", 7))]) + ",",
    entity("Q4", "Four", P99=[claim("Q1")]) + ",",
    entity("Q9", "Nobody") ,
    "]",
]  # fmt: skip
TEXT = "\n".join(LINES) + "\n"
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    ".json": lambda data: data,
    ".json.gz": gzip.compress,
    ".json.bz2": bz2.compress,
    ".json.zst": lambda data: pytest.importorskip("zstandard").ZstdCompressor().compress(data),
}


def wish(tmp_path: Path, ending: str = ".json", text: str = TEXT) -> Wish:
    path = tmp_path / f"dump{ending}"
    path.write_bytes(COMPRESSED[ending](text.encode()))
    return Wish(path, ("P35",))


@pytest.mark.parametrize("ending", COMPRESSED)
def test_ranks_dates_and_languages_are_honoured(ending: str, tmp_path: Path) -> None:
    bad = read_dump(wish(tmp_path, ending), tmp_path / "out")
    assert bad.counts == {"not JSON": 1, "not an entity of Wikidata": 1}
    assert bad.examples["not JSON"] == [f"dump{ending}: line 6"]
    store = Store.open(tmp_path / "out")
    assert store.bad == bad
    graph = store.graph()
    told = {(f.subject.id, f.object.id): graph.spans_of(f) for f in graph.facts}
    assert told == {
        ("Q1", "Q2"): (Span((1952, 3, 7), None),),
        ("Q1", "Q3"): (Span(None, (1952, 3, 31)),),
        ("Q2", "Q3"): (Span((1900, 1, 1), (1900, 12, 31)),),
        ("Q3", "Q1"): (ALWAYS,),
    }
    land = graph.nodes["Q1"]
    assert (land.entity.label, land.aliases, land.type) == (
        "Land",
        ("The Land", "a|b"),
        "Q500",
    )
    assert graph.nodes["Q3"].entity.label == "Three"
    assert graph.relation("P35").label == "head of state"
    assert "Q9" not in graph.nodes, "no fact is about it"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("parts", range(4))
def test_a_reading_that_was_cut_off_goes_on(
    parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, written = wish(tmp_path), 0
    read_dump(wanted, tmp_path / "whole", every=3)

    def cut(path: Path, data: bytes) -> None:
        nonlocal written
        if written == 4 * parts + 2:  # in the middle of a part, which has four files
            raise KeyboardInterrupt
        written += 1
        write_bytes(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_bytes", cut)
        with pytest.raises(KeyboardInterrupt):
            read_dump(wanted, tmp_path / "cut", every=3)
    with pytest.raises(PitfallsError, match="not complete; run the command that started it"):
        Store.open(tmp_path / "cut")
    read_dump(wanted, tmp_path / "cut", every=3)
    whole = content(tmp_path / "whole")
    assert content(tmp_path / "cut") == whole
    read_dump(wanted, tmp_path / "cut", every=3)
    assert content(tmp_path / "cut") == whole, "what is finished stays as it is"
    assert set(whole) == {"store.json", "relations.toml", *(f"{name}.parquet" for name in TABLES)}


def test_a_making_of_tables_that_was_cut_off_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wish(tmp_path)
    read_dump(wanted, tmp_path / "whole")

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tables, "_length", cut)
        with pytest.raises(KeyboardInterrupt):
            read_dump(wanted, tmp_path / "cut")
    wanted.dump.write_bytes(bytes(wanted.dump.stat().st_size))
    read_dump(wanted, tmp_path / "cut")
    assert content(tmp_path / "cut") == content(tmp_path / "whole"), "the dump is not read again"


def test_how_much_is_kept_at_once_changes_nothing(tmp_path: Path) -> None:
    wanted = wish(tmp_path)
    for every in (1, 4, 100):
        read_dump(wanted, tmp_path / str(every), every=every)
        for name in TABLES:
            file = f"{name}.parquet"
            assert (tmp_path / str(every) / file).read_bytes() == (
                tmp_path / "1" / file
            ).read_bytes()


def test_what_php_writes_for_nothing_is_nothing(tmp_path: Path) -> None:
    bare = json.dumps({"id": "Q7", "labels": [], "aliases": [], "claims": []}) + ",\n"
    odd = {"type": "globecoordinate", "value": {"latitude": 1.5, "precision": 0.001}}
    place = {"mainsnak": {"snaktype": "value", "datavalue": odd}, "rank": "normal"}
    text = {"type": "string", "value": "Q1"}
    said = {"mainsnak": {"snaktype": "value", "datavalue": text}, "rank": "normal"}
    lines = bare + entity("Q8", "Eight", P35=[place, said, claim("Q1", **{})]) + ",\n" + TEXT
    bad = read_dump(wish(tmp_path, text=lines), tmp_path / "out")
    assert sum(bad.counts.values()) == 2, "the two of the other tests"
    graph = Store.open(tmp_path / "out").graph()
    (fact,) = graph.outgoing(graph.nodes["Q8"].entity)
    assert fact.object.id == "Q1"


def test_another_wish_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = wish(tmp_path)
    read_dump(first, tmp_path / "out")
    with pytest.raises(PitfallsError, match=r"was started with language 'en', now it is 'de'"):
        read_dump(Wish(first.dump, ("P35",), "de"), tmp_path / "out")
    with pytest.raises(PitfallsError, match=r"the graph has no facts"):
        read_dump(wish(tmp_path, text="[\n]\n"), tmp_path / "empty")
    with pytest.raises(PitfallsError, match=r"no such file, expected a Wikidata dump"):
        read_dump(Wish(tmp_path / "nowhere", ("P35",)), tmp_path / "out")

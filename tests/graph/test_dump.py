"""A Wikidata dump in every packing gives the same graph, also if the reading was cut off."""

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.graph import dump
from pitfalls.graph.dump import Wish, read_dump
from pitfalls.graph.folder import read_folder
from pitfalls.graph.span import ALWAYS, Span


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
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".json": lambda data: data,
    ".json.gz": gzip.compress,
    ".json.bz2": bz2.compress,
    ".json.zst": lambda data: pytest.importorskip("zstandard").ZstdCompressor().compress(data),
}


def wish(tmp_path: Path, ending: str = ".json", text: str = TEXT) -> Wish:
    path = tmp_path / f"dump{ending}"
    path.write_bytes(PACKED[ending](text.encode()))
    return Wish(path, ("P35",))


@pytest.mark.parametrize("ending", PACKED)
def test_ranks_dates_and_languages_are_honoured(ending: str, tmp_path: Path) -> None:
    bad = read_dump(wish(tmp_path, ending), tmp_path / "out")
    assert bad.counts == {"not JSON": 1, "not an entity of Wikidata": 1}
    assert bad.examples["not JSON"] == [f"dump{ending}: line 6"]
    graph, left_out = read_folder(tmp_path / "out")
    assert list(left_out.lines()) == []
    told = {(f.subject.id, f.object.id): graph.spans_of(f) for f in graph.facts}
    assert told == {
        ("Q1", "Q2"): (Span((1952, 3, 7), None),),
        ("Q1", "Q3"): (Span(None, (1952, 3, 31)),),
        ("Q2", "Q3"): (Span((1900, 1, 1), (1900, 12, 31)),),
        ("Q3", "Q1"): (ALWAYS,),
    }
    land = graph.nodes["Q1"]
    assert (land.entity.label, land.aliases, land.type) == ("Land", ("The Land",), "Q500")
    assert graph.nodes["Q3"].entity.label == "Three"
    assert graph.relation("P35").label == "head of state"
    assert "Q9" not in (tmp_path / "out" / "entities.tsv").read_text("utf-8")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("lines", range(1, len(LINES)))
def test_a_reading_that_was_cut_off_goes_on(
    lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wish(tmp_path)
    read_dump(wanted, tmp_path / "whole", every=2)
    keep, seen = dump._keep, 0

    def cut(*arguments: Any) -> None:
        nonlocal seen
        seen += 1
        keep(*arguments)
        if seen == lines:
            raise KeyboardInterrupt

    monkeypatch.setattr(dump, "_keep", cut)
    with pytest.raises(KeyboardInterrupt):
        read_dump(wanted, tmp_path / "cut", every=2)
    monkeypatch.setattr(dump, "_keep", keep)
    read_dump(wanted, tmp_path / "cut", every=2)
    whole = content(tmp_path / "whole")
    assert content(tmp_path / "cut") == whole
    read_dump(wanted, tmp_path / "cut", every=2)
    assert content(tmp_path / "cut") == whole, "what is finished stays as it is"
    assert set(whole) == {"dump.json", *(f"{name}.tsv" for name in dump.COLUMNS)}


def test_another_wish_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = wish(tmp_path)
    read_dump(first, tmp_path / "out")
    with pytest.raises(PitfallsError, match=r"was begun with language 'en', now it is 'de'"):
        read_dump(Wish(first.dump, ("P35",), "de"), tmp_path / "out")
    with pytest.raises(PitfallsError, match=r"no such file, expected a Wikidata dump"):
        read_dump(Wish(tmp_path / "nowhere", ("P35",)), tmp_path / "out")

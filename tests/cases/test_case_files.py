"""Our own file format: what is written comes back, and what is wrong is told in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from changing import GONE, change
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import World, worlds

from pitfalls.cases.build import build_cases
from pitfalls.cases.case_file import read_cases, read_header, write_cases
from pitfalls.cases.json_form import (
    case_from_dict,
    case_to_dict,
    relation_to_dict,
    relations_from_dict,
    relations_of,
)
from pitfalls.errors import PitfallsError
from pitfalls.vocabulary import CASE_KINDS, CaseKind


@given(worlds(), st.sampled_from(CASE_KINDS), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_file_gives_back_its_cases(
    tmp_path_factory: pytest.TempPathFactory, world: World, kind: CaseKind, count: int
) -> None:
    path = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    try:
        cases = build_cases(world.graph(), kind, count=count)
    except PitfallsError:
        return
    write_cases(path, cases, origin="a test")
    assert read_cases(path) == cases
    header = read_header(path)
    assert (header.kind, header.count, header.origin) == (kind, len(cases), "a test")
    before = path.read_bytes()
    write_cases(path, read_cases(path), origin="a test")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["cases.jsonl"]


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_a_row_needs_nothing_but_its_relations(kind: CaseKind) -> None:
    cases = build_cases(World(12).graph(), kind, count=4)
    table = {id: relation_to_dict(each) for id, each in relations_of(cases).items()}
    relations = relations_from_dict(json.loads(json.dumps(table)))
    for case in cases:
        assert case_from_dict(json.loads(json.dumps(case_to_dict(case))), relations) == case


def place(path: Path, *changes: tuple[str, Any]) -> None:
    """A file of three reverse cases, with something changed in it."""
    write_cases(path, build_cases(World(12).graph(), "reverse", count=3))
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for field, value in changes:
        change(rows, field, value)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


P22 = "0.relations.P22"
Q1 = {"id": "Q1", "label": "one"}
REFUSALS: list[tuple[str, Any, str]] = [
    ("0.schema", 2, "line 1: schema: is 2, expected 1"),
    ("0.kind", "sideways", "line 1: kind: should be 'coverage'"),
    (f"{P22}.label", GONE, "line 1: relations.P22.label: is missing"),
    (f"{P22}.paraphrases", ["x"], "line 1: relations.P22.paraphrases[0]: has 0 placeholders"),
    (f"{P22}.prompt", "{} {0}", "line 1: relations.P22.prompt: has a brace beside the"),
    ("3", GONE, "has 2 cases, its header says 3"),
    ("2.id", " ", "line 3: id: is empty, expected a name"),
    ("2.id", "reverse-00000", "line 3: id: 'reverse-00000' is taken by line 2"),
    ("0.kind", "composite", "line 2: kind: is 'reverse', the header says 'composite'"),
    ("2.first.subject.id", 7, "line 3: first.subject.id: should be a valid string, got 7"),
    ("2.first.colour", "red", "line 3: first.colour: is not a field of this format"),
    ("2.first.object", GONE, "line 3: first.object: is missing"),
    ("2.first.relation", "P1", "line 3: unknown relation 'P1'"),
    ("2.second.subject", Q1, "line 3: second.subject: is Q1 (one), expected the first edit's new"),
    ("2.rule", GONE, "line 3: rule: is missing, expected '"),
    ("2.triples.1", GONE, "line 3: triples: has 1, expected 2"),
]


@pytest.mark.parametrize(("field", "value", "line"), REFUSALS)
def test_what_is_wrong_is_named(tmp_path: Path, field: str, value: Any, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    place(path, (field, value))
    with pytest.raises(PitfallsError) as error:
        read_cases(path)
    assert str(error.value).startswith(f"{path}: {line}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "line 1: holds nothing"),
        (b"[1]\n", "line 1: schema: is None, expected 1"),
        (b'{"schema": 1,\n', "line 1: is not valid JSON: Expecting property name"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_such_file(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(content)
    with pytest.raises(PitfallsError) as error:
        read_cases(path)
    assert str(error.value).startswith(f"{path}: {line}")


def test_cases_of_two_kinds_or_none_are_not_written(tmp_path: Path) -> None:
    graph = World(12).graph()
    mixed = build_cases(graph, "reverse", count=1) + build_cases(graph, "coverage", count=1)
    for cases in (mixed, []):
        with pytest.raises(PitfallsError, match="cases of one kind"):
            write_cases(tmp_path / "cases.jsonl", cases)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cases = build_cases(World(12).graph(), "reverse", count=1)
    with pytest.raises(PitfallsError, match="file is a file, expected a folder"):
        write_cases(tmp_path / "file" / "cases.jsonl", cases)

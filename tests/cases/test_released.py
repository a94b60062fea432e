"""The authors' files: all of them load, and whatever is not like them is named in one line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from changing import GONE, change

from pitfalls.cases.case import Case
from pitfalls.cases.case_file import read_cases, write_cases
from pitfalls.cases.plan import plan
from pitfalls.cases.released import prompts_file, read_released, released_files
from pitfalls.errors import PitfallsError
from pitfalls.vocabulary import CASE_KINDS, ROUND_KINDS, CaseKind

Published: TypeAlias = dict[tuple[str, CaseKind], list[Case]]


def read(folder: Path, kind: CaseKind) -> list[Case]:
    return read_released(folder / released_files()[kind], kind, prompts=folder / prompts_file(kind))


def test_every_published_case_loads(published: Published, tmp_path: Path) -> None:
    assert sum(map(len, published.values())) == 24_500
    for (_, kind), cases in published.items():
        assert cases[17].id == f"{kind}-00017"
        assert {len(case.first.relation.prompts) for case in cases} == {11}
        assert all(len(plan(case).states) >= 3 for case in cases[:100])
        write_cases(tmp_path / "ours.jsonl", cases[:100])
        assert read_cases(tmp_path / "ours.jsonl") == cases[:100]


def test_a_round_trip_goes_away_and_comes_back(released: Path, published: Published) -> None:
    case = published["GPT-J", "round-easy"][0]
    record = json.loads((released / "GPT-J" / "easy.json").read_text("utf-8"))[0]
    assert case.first.object == case.second.new_object
    assert case.second.new_object.label == record["edit"]["object"]["label"]
    assert case.first.new_object.label == record["edit"]["new_object"]["label"]
    assert [each.label for each in case.true_objects] == [
        each["label"] for each in record["true_objects"]
    ]


def test_rules_are_as_frequent_as_the_data_says(published: Published) -> None:
    rules = Counter(case.rule for case in published["GPT2-XL", "composite"])
    assert rules == {
        "P22&P40>P3373": 699,
        "P22&P26>P25": 549,
        "P800&P407>P1412": 289,
        "P40&P25>P26": 187,
        "P25&P26>P22": 183,
        "P40&P22>P26": 68,
        "P39&P1001>P27": 25,
    }


def entity(name: str) -> dict[str, str]:
    return {"id": f"Q-{name}", "label": name}


def relation(id: str) -> dict[str, str]:
    return {"id": id, "label": id, "prompt": f"The {id} of {{}} is", "query": f"{id} of {{}}?"}


def fact(subject: str, relation_id: str, object: str) -> dict[str, Any]:
    ends = {"subject": entity(subject), "object": entity(object)}
    return {"relation": relation(relation_id)} | ends


def edit(subject: str, relation_id: str, object: str, new_object: str) -> dict[str, Any]:
    return fact(subject, relation_id, object) | {"new_object": entity(new_object)}


def records() -> dict[CaseKind, dict[str, Any]]:
    """One sound record of every kind in the authors' layout."""
    trip = {
        "type": "1-2@P166",
        "edit": edit("s", "P166", "o1", "o*"),
        "true_objects": [entity("o1"), entity("o2")],
    }
    return {
        "coverage": {
            "type": "coverage",
            "prerequisites": [],
            "triples": [fact("s", "P22", "o1")],
            "edits": [
                edit("s", "P22", "o1", "o2"),
                edit("s", "P22", "o2", "o3"),
            ],
        },
        "reverse": {
            "type": "reverse",
            "rule": "P22>P40",
            "prerequisites": [],
            "triples": [fact("s1", "P22", "o1"), fact("o1", "P40", "s1")],
            "edits": [
                edit("s1", "P22", "o1", "o2"),
                edit("o2", "P40", "s1", "s2"),
            ],
        },
        "composite": {
            "type": "composite",
            "rule": "P40&P25>P26",
            "prerequisites": [0],
            "triples": [fact("s2", "P40", "s1"), fact("s1", "P25", "o1"), fact("s2", "P26", "o1")],
            "edits": [
                edit("s1", "P25", "o1", "o2"),
                edit("s2", "P26", "o1", "o3"),
            ],
        },
        "round-easy": trip,
        "round-hard": trip,
    }


PROMPTS = {id: [f"{{}} has {id}"] for id in ("P22", "P25", "P26", "P40", "P166")}


def place(folder: Path, kind: CaseKind, *changes: tuple[str, Any]) -> Path:
    """A file whose second record was changed, with its prompts beside it."""
    changed = json.loads(json.dumps(records()[kind]))
    for path, value in changes:
        change(changed, path, value)
    (folder / released_files()[kind]).write_text(json.dumps([records()[kind], changed]), "utf-8")
    (folder / prompts_file(kind)).write_text(json.dumps(PROMPTS), "utf-8")
    return folder / released_files()[kind]


REFUSALS: list[tuple[CaseKind, str, Any, str]] = [
    ("round-easy", "edit.subject.label", "", "edit.subject.label: is empty, expected a name"),
    ("round-easy", "edit.subject.id", GONE, "edit.subject.id: is missing"),
    ("round-easy", "edit.note", 1, "edit.note: is not a field of this format"),
    ("round-easy", "edit.relation.prompt", "{} {}", "edit.relation.prompt: has 2 placeholders"),
    ("round-easy", "edit.relation.prompt", "x", "edit.relation.prompt: has 0 placeholders"),
    ("round-hard", "type", "1-3@P166", "type: is '1-3@P166', expected '1-2@P166'"),
    ("round-hard", "true_objects.0.id", "Q-x", "true_objects: lacks o1, Q-o1 (o1)"),
    ("round-hard", "true_objects.1", GONE, "type: is '1-2@P166', expected '1-1@P166'"),
    ("coverage", "type", "reverse", "type: should be 'coverage', got 'reverse'"),
    ("coverage", "edits.1", GONE, "edits: has 1, expected 2"),
    ("coverage", "edits.1.subject.id", "Q-x", "edits[1].subject: is Q-x (s), expected the first"),
    ("coverage", "edits.1.object.id", "Q-x", "edits[1].object: is Q-x (o2), expected the first"),
    ("coverage", "edits.1.relation.id", "P25", "edits[1].relation: is P25 (P22), expected the"),
    ("coverage", "rule", "P22>P40", "rule: is 'P22>P40', expected none for this kind"),
    ("coverage", "edits.0.relation.id", "P9", "relation P9 (P22) has no paraphrases in "),
    ("reverse", "rule", GONE, "rule: is missing, expected 'P22>P40' by its relations"),
    ("reverse", "rule", "P25>P40", "rule: is 'P25>P40', expected 'P22>P40'"),
    ("reverse", "prerequisites", [0], "prerequisites: has 1, expected 0"),
    ("reverse", "triples.1.object.id", "Q-x", "triples[1]: is Q-o1 P40 Q-x, expected Q-o1 P40"),
    ("reverse", "triples", [], "triples: has 0, expected 2"),
    ("composite", "triples.2", GONE, "triples: has 2, expected 3"),
    ("composite", "prerequisites", [1], "prerequisites[0]: should be 0, got 1"),
    ("composite", "edits.0.subject.id", "Q-x", "edits[0].subject: is Q-x (s1), expected the tied"),
    ("composite", "edits.0.new_object", "o2", "edits[0].new_object: should be a valid dictionary"),
]


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_sound_records_are_read(tmp_path: Path, kind: CaseKind) -> None:
    place(tmp_path, kind)
    first, second = read(tmp_path, kind)
    assert (first.first, first.second) == (second.first, second.second)
    assert bool(first.true_objects) == (kind in ROUND_KINDS)
    assert (first.tied is not None) == (kind == "composite")
    assert first.first.relation.paraphrases


@pytest.mark.parametrize(("kind", "field", "value", "line"), REFUSALS)
def test_what_is_wrong_is_named(
    tmp_path: Path, kind: CaseKind, field: str, value: Any, line: str
) -> None:
    path = place(tmp_path, kind, (field, value))
    with pytest.raises(PitfallsError) as error:
        read(tmp_path, kind)
    assert str(error.value).startswith(f"{path}: record 1: {line}")
    assert "\n" not in str(error.value)


def test_a_round_trip_needs_something_to_ignore(tmp_path: Path) -> None:
    place(tmp_path, "round-easy", ("true_objects.1", GONE), ("type", "1-1@P166"))
    with pytest.raises(PitfallsError, match="true_objects: has 1, expected at least two"):
        read(tmp_path, "round-easy")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[", "is not valid JSON: "),
        ("{}", "is a JSON dict, expected a list"),
        ("[[]]", "record 0: "),
    ],
)
def test_a_file_that_is_no_list_of_cases(tmp_path: Path, content: str, line: str) -> None:
    path = place(tmp_path, "reverse")
    path.write_text(content)
    with pytest.raises(PitfallsError) as error:
        read(tmp_path, "reverse")
    assert str(error.value).startswith(f"{path}: {line}")


def test_prompts_that_are_missing_or_wrong_are_named(tmp_path: Path) -> None:
    place(tmp_path, "reverse")
    prompts = tmp_path / "conflict_prompts.json"
    prompts.write_text(json.dumps(PROMPTS | {"P22": ["nobody"]}))
    with pytest.raises(PitfallsError, match=r"P22\[0\]: has 0 placeholders"):
        read(tmp_path, "reverse")
    prompts.unlink()
    with pytest.raises(PitfallsError, match=r"conflict_prompts.json: cannot be read: No such file"):
        read(tmp_path, "reverse")

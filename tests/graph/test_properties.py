"""The table of Wikidata properties agrees with itself, the starter graph and real data."""

import csv
import os
from pathlib import Path

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.graph.properties import Property, properties
from pitfalls.graph.starter import starter_predicates
from pitfalls.graph.wording import wording_faults
from pitfalls.shapes import check

SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[2] / ".." / "shared"))
RENAMED = {
    *("P140", "P150", "P186", "P275", "P277", "P355", "P366", "P376", "P410"),
    *("P449", "P451", "P527", "P618", "P706", "P747", "P750", "P767", "P780"),
    *("P1029", "P1037", "P1056", "P1071", "P1344", "P1552", "P1657", "P1962", "P2176"),
    *("P2499", "P2500", "P2512", "P2522", "P2578", "P2670", "P2813", "P6364", "P7047"),
}
"""Properties with another label in the real graph, which has data of 2015 to 2023."""


def test_there_are_hundreds_in_the_order_of_their_numbers() -> None:
    numbers = [int(id[1:]) for id in properties()]
    assert len(numbers) >= 300 and numbers == sorted(numbers)


def test_every_row_makes_eleven_sound_prompts() -> None:
    for each in properties().values():
        assert list(wording_faults(each.relation().prompts)) == [], each.id


def test_no_two_properties_have_the_same_prompt_or_label() -> None:
    rows = properties().values()
    assert len({each.prompt.casefold() for each in rows}) == len(rows)
    assert len({each.label for each in rows}) == len(rows)


def test_an_inverse_has_this_one_as_its_own() -> None:
    table = properties()
    for each in table.values():
        for other in each.inverse:
            assert each.id in table[other].inverse, f"{each.id} and {other}"


def test_the_starter_relations_agree() -> None:
    for predicate in starter_predicates():
        row, relation = properties()[predicate.relation.id], predicate.relation
        assert (row.prompt, row.many) == (relation.prompt, predicate.many), relation.id
        assert row.label.startswith(relation.label), relation.id
        assert predicate.inverse == row.inverse


def test_labels_are_those_of_real_data() -> None:
    file = SHARED / "data" / "kg" / "relations.tsv"
    if not file.is_file():
        pytest.skip(f"no {file}; PITFALLS_SHARED names another place")
    with file.open(encoding="utf-8", newline="") as stream:
        labels = {row["id"]: row["label"] for row in csv.DictReader(stream, delimiter="\t")}
    differ = {id for id, row in properties().items() if labels.get(id, row.label) != row.label}
    assert differ == RENAMED
    common = [id for id in labels if id in properties()]
    assert len(common) > 0.75 * len(labels)


@pytest.mark.parametrize(
    ("field", "value"),
    [("prompt", "The mother is"), ("objects", "two"), ("value", "persn"), ("label", " ")],
)
def test_a_wrong_row_is_told(field: str, value: str) -> None:
    row = {"id": "P25", "label": "mother", "prompt": "The mother of {} is", "noun": "mother"}
    row |= {"inverse": "P40", "objects": "one", "value": "person"}
    assert check(Property, row, where="line 2").inverse == ("P40",)
    with pytest.raises(PitfallsError, match=f"line 2: {field}"):
        check(Property, row | {field: value}, where="line 2")

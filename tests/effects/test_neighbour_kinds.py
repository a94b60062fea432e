"""Kinds of things: the table is valid, and subjects get the right kind."""

import pytest

from pitfalls.effects.guess import kinds_of, taken_for
from pitfalls.effects.kinds import kinds
from pitfalls.facts import template_fault
from pitfalls.graph.starter import starter_graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model

GRAPH = starter_graph()
TABLE = kinds()


@pytest.mark.parametrize("name", TABLE)
def test_a_row_has_enough_to_ask(name: str) -> None:
    kind = TABLE[name]
    assert len(kind.names) == len(set(kind.names)) >= 10
    assert len(kind.prompts) == len(set(kind.prompts)) >= 5
    assert [text for text in kind.prompts if template_fault(text)] == []


def test_a_type_of_the_starter_graph_has_one_kind() -> None:
    types = [each for kind in TABLE.values() for each in kind.types]
    assert len(types) == len(set(types))
    assert {*types} <= {node.type for node in GRAPH.nodes.values()}


def test_the_graph_and_the_table_are_asked_before_the_model() -> None:
    model = tiny_model("llama")
    found = kinds_of(model, GRAPH, ["Ada Lovelace", "the unheard of", "iphone", "Danube"])
    assert found[1] in TABLE.values() and len(found) == 4, "the model's guess is a row too"
    assert [found[0], *found[2:]] == [TABLE["person"], TABLE["phone"], TABLE["river"]]


@pytest.mark.real
def test_the_real_model_takes_things_for_what_they_are() -> None:
    model = LanguageModel.load("smollm2-135m", dtype="bfloat16")
    asked = {"Pixel phone": "phone", "Barack Obama": "person", "Statue of Liberty": "building"}
    asked |= {"Australia": "country", "Tesla Model 3": "car", "Lisbon": "city"}
    assert kinds_of(model, GRAPH, list(asked)) == [TABLE[kind] for kind in asked.values()]
    # It is not shown the last names of a row.
    held_out = [(name, kind) for kind in TABLE.values() for name in kind.names[-2:]]
    found = taken_for(model, list(TABLE.values()), [name for name, _ in held_out])
    right = sum(one is kind for one, (_, kind) in zip(found, held_out, strict=True))
    assert right / len(held_out) > 0.7

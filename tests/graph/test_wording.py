"""Drafted prompts take the subject, end before the object, and read as English does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_predicates
from pitfalls.graph.wording import draft_relation, wording_faults

LABELS = {
    "doctoral advisor": "The doctoral advisor of {} is",
    "located in": "{} is located in",
    "has use": "{} has use",
    "shares border with": "{} shares border with",
    "director (film)": "The director of {} is",
    "languages spoken, written or signed": "The languages spoken, written or signed of {} is",
}


@pytest.mark.parametrize("label", LABELS)
def test_a_draft_has_a_prompt_ten_paraphrases_and_a_question(label: str) -> None:
    relation = draft_relation("P1", label, ("supervisor", "Supervisor", "based in", "x (y)"))
    assert relation.prompt == LABELS[label]
    assert len(relation.paraphrases) == 10
    assert relation.query.endswith("?")
    assert list(wording_faults(relation.prompts)) == []
    nouns = relation.prompt.startswith("The ")
    assert ("The supervisor of {} is" in relation.paraphrases) == nouns
    assert not any("based in" in each for each in relation.paraphrases)


FAULTS = {
    "The father is": "has 0 placeholders",
    "The {} of {} is": "has 2 placeholders",
    "The father  of {} is": "has a space too many",
    "The father of {} is ": "has a space too many",
    "The father of {} is:": "ends in a mark",
    "The father of of {} is": "repeats a word",
    "The father of {}is": "lets a letter or mark follow",
    "The father of{} is": "lets a letter or mark touch",
    "{}'s is": "has an 's that owns nothing",
    "{} loves his(her) father": "has a broken possessive",
}


@pytest.mark.parametrize("template", FAULTS)
def test_a_faulty_prompt_is_told(template: str) -> None:
    sound = draft_relation("P1", "mother").prompts
    (fault,) = wording_faults((*sound[:-1], template))
    assert FAULTS[template] in fault


def test_repetition_and_a_wrong_number_are_told() -> None:
    sound = draft_relation("P1", "mother").prompts
    assert "is there twice" in next(wording_faults((*sound[:-1], sound[0].upper())))
    assert "has 10 prompts, expected 1 and 10" in next(wording_faults(sound[:-1]))


def test_the_packaged_prompts_pass_the_same_check() -> None:
    for predicate in starter_predicates():
        assert list(wording_faults(predicate.relation.prompts)) == [], predicate.relation.id


@given(st.text(max_size=20), st.lists(st.text(max_size=12), max_size=4))
def test_whatever_the_label_a_draft_is_sound_or_refused_in_one_line(
    label: str, aliases: list[str]
) -> None:
    try:
        relation = draft_relation("P1", label, aliases)
    except PitfallsError as error:
        assert "write its prompts yourself" in str(error)
    else:
        assert list(wording_faults(relation.prompts)) == []

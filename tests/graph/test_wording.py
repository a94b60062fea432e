"""Drafted prompts take a subject, end before the object, and are English or marked unsure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.graph.label_shapes import SHAPES, article, shape_of
from pitfalls.graph.lines import BadLines
from pitfalls.graph.starter import starter_predicates
from pitfalls.graph.worded import worded, wordings_for
from pitfalls.graph.wording import draft_relation, wording_faults

LABELS = {
    "doctoral advisor": ("noun", "The doctoral advisor of {} is"),
    "country of citizenship": ("noun", "The country of citizenship of {} is"),
    "director (film)": ("noun", "The director of {} is"),
    "placeOfBirth": ("noun", "The place of birth of {} is"),
    "the capital": ("noun", "The capital of {} is"),
    "has use": ("has and noun", "The use of {} is"),
    "characters": ("plural", "The characters of {} include"),
    "award received": ("noun and participle", "The award received by {} is"),
    "languages spoken": ("plural and participle", "The languages spoken by {} include"),
    "member of": ("noun and of", "{} is a member of"),
    "instance of": ("noun and of", "{} is an instance of"),
    "member of sports team": ("role and of a noun", "{} is a member of the sports team called"),
    "part of the series": ("role and of a noun", "{} is a part of the series called"),
    "screenplay by": None,
    "libretto by": None,
    "song by": ("noun and by", "The song of {} is by"),
    "founded by": ("participle and by", "{} was founded by"),
    "located in": ("participle and preposition", "{} is located in"),
    "different from": ("adjective and preposition", "{} is different from"),
    "located in the administrative territorial entity": (
        "participle, preposition and noun",
        "{} is located in the administrative territorial entity called",
    ),
    "found in taxon": (
        "participle, preposition and noun",
        "{} is found in the taxon called",
    ),
    "described by source": (
        "participle, by and noun",
        "{} was described by the source called",
    ),
    "replaces": ("verb", "{} replaces"),
    "connects with": ("verb", "{} connects with"),
    "has written for": ("has and participle", "{} has written for"),
    "wasBornIn": ("is or was and more", "{} was born in"),
    "lyrics by": None,
    "surface played on": None,
    "uses": None,
    "languages spoken, written or signed": None,
    "shares border with": None,
    "located in or next to body of water": None,
    "subject has role": None,
    "on focus list of Wikimedia project": None,
    "history of topic": None,
}
"""Label → its shape and prompt; None if no prompt is sure."""


@pytest.mark.parametrize("label", LABELS)
def test_a_label_has_the_prompt_of_its_shape_or_is_said_to_be_unsure(label: str) -> None:
    draft = draft_relation("P1", label, ("supervisor", "Supervisor", "based in", "x (y)"))
    relation, expected = draft.relation, LABELS[label]
    assert draft.sure == (expected is not None)
    if expected is not None:
        assert (expected[1], len(relation.paraphrases)) == (relation.prompt, 10)
        nouns = expected[0] in ("noun", "has and noun")
        assert ("The supervisor of {} is" in relation.paraphrases) == nouns
    assert relation.query.endswith("?")
    assert list(wording_faults(relation.prompts)) == []
    assert not any("based in" in each for each in relation.paraphrases)


def test_every_shape_has_a_label_here() -> None:
    assert {each.name for each in SHAPES} == {told[0] for told in LABELS.values() if told}
    shapes = {label: shape_of(label).shape.name for label, told in LABELS.items() if told}
    plain = {label for label in shapes if " " in label and "(" not in label}
    assert {label: shapes[label] for label in plain} == {
        label: told[0] for label, told in LABELS.items() if told and label in plain
    }


def test_articles_follow_the_sound() -> None:
    nouns = {"owner": "An", "union": "A", "user": "A", "uncle": "An", "hour": "An", "one-off": "A"}
    assert {noun: article(noun) for noun in nouns} == nouns


FAULTS = {
    "The father is": "has 0 placeholders",
    "The {} of {} is": "has 2 placeholders",
    "The father  of {} is": "has an extra space",
    "The father of {} is ": "has an extra space",
    "The father of {} is:": "ends in punctuation",
    "The father of of {} is": "repeats a word",
    "The father of {}is": "lacks a space after",
    "The father of{} is": "lacks a space before",
    "{}'s is": "has a possessive 's without a noun",
    "{} loves his(her) father": "has a broken possessive",
}


@pytest.mark.parametrize("template", FAULTS)
def test_a_faulty_prompt_is_told(template: str) -> None:
    sound = draft_relation("P1", "mother").relation.prompts
    (fault,) = wording_faults((*sound[:-1], template))
    assert FAULTS[template] in fault


def test_repetition_and_a_wrong_number_are_told() -> None:
    sound = draft_relation("P1", "mother").relation.prompts
    assert "is listed twice" in next(wording_faults((*sound[:-1], sound[0].upper())))
    assert "has 10 prompts, expected 1 and 10" in next(wording_faults(sound[:-1]))


def test_the_packaged_prompts_pass_the_same_check() -> None:
    for predicate in starter_predicates():
        assert list(wording_faults(predicate.relation.prompts)) == [], predicate.relation.id


@given(st.text(max_size=20), st.lists(st.text(max_size=12), max_size=4))
def test_whatever_the_label_a_draft_is_sound_or_refused_in_one_line(
    label: str, aliases: list[str]
) -> None:
    try:
        relation = draft_relation("P1", label, aliases).relation
    except PitfallsError as error:
        assert "write its prompts yourself" in str(error)
    else:
        assert list(wording_faults(relation.prompts)) == []


WORDINGS = wordings_for()
ALIKE = [
    *("work period (start)", "work period (end)", "work period", "father", "Father"),
    *("has child", "child", "hasChild", "head coach", "head coach (sports)", "lyrics by"),
]


@given(st.lists(st.sampled_from(ALIKE), min_size=1, max_size=14), st.booleans())
def test_no_two_relations_have_the_same_prompt(labels: list[str], wikidata: bool) -> None:
    ids = ["P22", "P40", "P286", "P26"] if wikidata else []
    ids += [f"x{n}" for n in range(len(labels) - len(ids))]
    named = {id: (label, ()) for id, label in zip(ids, labels, strict=False)}
    bad = BadLines()
    found = worded(named, WORDINGS, bad)
    prompts = [each.relation.prompt.casefold() for each in found.values()]
    assert len(set(prompts)) == len(prompts) == len(named)
    assert not bad.counts


def test_brackets_stay_where_they_tell_relations_apart() -> None:
    named = {"P2031": ("work period (start)", ()), "P2032": ("work period (end)", ())}
    found = worded(named, {}, BadLines())
    assert {id: each.relation.prompt for id, each in found.items()} == {
        "P2031": "The work period (start) of {} is",
        "P2032": "The work period (end) of {} is",
    }
    assert {each.wording for each in found.values()} == {"unsure"}

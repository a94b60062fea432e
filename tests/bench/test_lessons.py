"""Lessons for MEND: about nothing that is evaluated, and apart from what they are examined on."""

from dataclasses import astuple

import pytest

from pitfalls.bench.lessons import Lessons, lessons_of, make_lessons
from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import plan, subjects_of
from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation, template_fault
from pitfalls.graph.practice import practice_for, practice_wordings
from pitfalls.graph.starter import starter_graph
from pitfalls.vocabulary import DATASETS

TEXTS = [f"Passage number {i} of the text." for i in range(40)]
AVOID = subjects_of(case for name in DATASETS for case in load_cases(name))


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return make_lessons(starter_graph(), TEXTS, avoid=AVOID)


def test_no_lesson_is_about_an_evaluated_subject(lessons: Lessons):
    """No subject of a lesson is edited or read about in any state of any packaged case."""
    practised = {lesson.edit.subject.id for lesson in (*lessons.training, *lessons.validation)}
    for name in DATASETS:
        for case in load_cases(name):
            for state in (planned := plan(case, multi_label=True)).states.values():
                assert not practised & {edit.subject.id for step in state for edit in step}
            for probes in planned.probes.values():
                assert not practised & {probe.fact.subject.id for probe in probes}


def test_no_lesson_has_words_that_are_evaluated(lessons: Lessons):
    """Neither the paraphrases nor the unrelated texts; and each half has its own."""
    graph = starter_graph()
    used = []
    for half in (lessons.training, lessons.validation):
        pairs = {(lesson.edit.relation, lesson.paraphrase) for lesson in half}
        assert not [pair for pair in pairs if pair[1] in pair[0].prompts]
        read = {lesson.unrelated for lesson in half} - {*TEXTS}
        said = {
            f"{template.format(fact.subject.label)} {fact.object.label}."
            for fact in graph.facts
            for template in fact.relation.prompts
        }
        assert read and not read & said
        used.append(pairs)
    assert not used[0] & used[1]


def test_wordings_to_practise_with_are_sound():
    table = practice_wordings()
    assert set(table) == set(starter_graph().predicates)
    for predicate in starter_graph().predicates.values():
        relation = predicate.relation
        training, examining = practice_for(relation, table)
        assert len({*training, examining}) == len(table[relation.id]) >= 5
        others = {template.casefold() for template in relation.prompts}
        for template in (*training, examining):
            assert template_fault(template) is None
            assert template.casefold() not in others
            assert template == " ".join(template.split()) and template[-1] not in ",:;.?"


def test_an_unknown_relation_is_practised_with_its_prompt_in_a_frame():
    relation = Relation("P1", "rival", "The rival of {} is")
    training, examining = practice_for(relation, practice_wordings())
    assert len({*training, examining} - {*relation.prompts}) == 3
    assert all(each.endswith(relation.prompt) for each in (*training, examining))
    lone = {"P1": ("The rival of {} is", "{} fights")}
    assert practice_for(relation, lone) == (training, examining)


def test_no_subject_and_no_passage_is_in_both_halves(lessons: Lessons):
    halves = (lessons.training, lessons.validation)
    trained, examined = ({lesson.edit.subject for lesson in half} for half in halves)
    assert trained and examined and not trained & examined
    read, tested = ({lesson.unrelated for lesson in half} & {*TEXTS} for half in halves)
    assert read and tested and not read & tested


def test_new_objects_are_of_the_old_ones_type_and_not_true(lessons: Lessons):
    graph = starter_graph()
    for lesson in (*lessons.training, *lessons.validation):
        edit = lesson.edit
        assert edit.before in graph
        assert edit.after not in graph
        assert graph.type_of(edit.new_object) == graph.type_of(edit.before.object)
        assert edit.new_object not in graph.also_objects(edit.subject, edit.relation)
        assert edit.subject.label not in (edit.new_object.label, edit.before.object.label)


def test_the_same_seed_gives_the_same_lessons(lessons: Lessons):
    again = make_lessons(starter_graph(), TEXTS, avoid=AVOID)
    other = make_lessons(starter_graph(), TEXTS, avoid=AVOID, seed=1)
    assert astuple(again) == astuple(lessons)
    assert astuple(other) != astuple(lessons)


def test_more_lessons_from_every_fact(lessons: Lessons):
    more = make_lessons(starter_graph(), TEXTS, avoid=AVOID, per_fact=2)
    assert len(more.training) > 1.9 * len(lessons.training)
    assert len(more.validation) == len(lessons.validation)


def test_too_little_to_learn_from_is_told():
    graph = starter_graph()
    every = {fact.subject.id for fact in graph.facts}
    with pytest.raises(PitfallsError, match="0 facts and 40 passages make 0 lessons"):
        make_lessons(graph, TEXTS, avoid=every)
    with pytest.raises(PitfallsError, match="give a larger graph or more text"):
        make_lessons(graph, [], avoid=())


def test_lessons_by_name(tmp_path):
    corpus = tmp_path / "text.txt"
    corpus.write_text("\n\n".join(TEXTS), encoding="utf-8")
    found = lessons_of("starter", str(corpus), leave_out=list(DATASETS))
    assert astuple(found) == astuple(make_lessons(starter_graph(), TEXTS, avoid=AVOID))

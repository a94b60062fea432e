"""Reported effects of an edit match the edited model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.editors.editor import Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.effects.bystanders import filled_in, neighbours, other_relations, unrelated_facts
from pitfalls.effects.effect import Effect, effect_of
from pitfalls.effects.kinds import kinds
from pitfalls.effects.limits import Limits
from pitfalls.effects.outcome import Outcome, Wording
from pitfalls.effects.shift import FLOOR, Shift
from pitfalls.graph.starter import starter_graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import Said
from pitfalls.models.reading.perplexity import perplexity
from pitfalls.models.reading.readout import Question, plain_target_logprobs
from pitfalls.models.text.corpus import Corpus
from pitfalls.testing import TEXT, snapshot, tiny_model, unchanged
from pitfalls.updates.request import Request
from pitfalls.updates.update import Update

GRAPH = starter_graph()
CORPUS = Corpus.of("text", [TEXT])
REQUEST = Request(
    prompt="The capital of {} is",
    subject="Côte d'Ivoire",
    target="Paris",
    paraphrases=("{} has the capital", "From {} one goes to its capital,"),
    true_objects=("Yamoussoukro", "Abidjan"),
)
OTHER = Request(prompt="{} was born in", subject="Marie Curie", target="France")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return tiny_model("llama")


@pytest.fixture(scope="module")
def updates(model: LanguageModel) -> tuple[Update, Update]:
    editor = FineTune(layer=2, lr=1e-2)
    (first,) = editor.fit(model, [Job((OTHER.edit,))])
    (second,) = editor.fit(model, [Job((REQUEST.edit,), first)])
    return first, second


@pytest.fixture(scope="module")
def effect(model: LanguageModel, updates: tuple[Update, Update]) -> Effect:
    before = snapshot(model)
    base, update = updates
    found = effect_of(
        model, [REQUEST], update, graph=GRAPH, corpus=CORPUS, base=base, earlier=[OTHER]
    )
    assert unchanged(model, before)
    return found


def probability(model: LanguageModel, shift: Shift) -> float:
    (logprobs,) = plain_target_logprobs(model, [Question(shift.prompt, shift.object, {})])
    return logprobs.mean().exp().item()


def test_every_probability_is_that_of_the_weights(
    model: LanguageModel, updates: tuple[Update, Update], effect: Effect
) -> None:
    base, update = updates
    shifts = [w.shift for one in (*effect.outcomes, *effect.earlier) for w in one.wordings]
    shifts += [*effect.outcomes[0].true_objects, *effect.unrelated]
    assert len(shifts) == 3 + 1 + 2 + 10
    (around,) = effect.around
    beside = [*around.neighbours, *around.relations]
    assert len(around.neighbours) >= 8 and len(around.relations) >= 4
    shifts += [one.answer for one in beside if one.answer is not None]
    for state, name in (base, "before"), (base + update, "after"):
        with state.applied(model):
            for shift in shifts:
                told = getattr(shift, name)
                assert told == pytest.approx(probability(model, shift), rel=1e-3), shift
    assert any(shift.before != shift.after for shift in effect.unrelated)


def test_it_tells_the_rest_of_it(
    model: LanguageModel, updates: tuple[Update, Update], effect: Effect
) -> None:
    base, update = updates
    texts = CORPUS.texts
    assert effect.perplexity_before == perplexity(model, texts, base.changes)
    assert effect.perplexity_after == perplexity(model, texts, (base + update).changes)
    (weight,) = effect.weights
    norm = model.weight(weight.name).norm().item()
    assert weight.norm == update.norms[weight.name]
    assert weight.relative == pytest.approx(update.norms[weight.name] / norm)
    (one,) = effect.outcomes
    assert [w.shift.prompt for w in one.wordings] == [
        text.format(REQUEST.subject) for text in (REQUEST.prompt, *REQUEST.paraphrases)
    ]
    assert one.taken and one.likelier
    assert one.wordings[0].said_after.rank == 1
    assert effect.failed == ()
    assert [shift.before for shift in effect.unrelated] == sorted(
        (shift.before for shift in effect.unrelated), reverse=True
    )


def outcome(
    before: float, after: float, *, said: bool, held: bool = False, later: Request | None = None
) -> Outcome:
    wording = Wording(
        Shift("p", "o", before, after), Said("x", held, 2), Said("y", said, 1 if said else 2)
    )
    return Outcome(REQUEST, (wording, wording), (), later)


def made_of(*outcomes: Outcome, unrelated: tuple[Shift, ...] = ()) -> Effect:
    return Effect(outcomes, outcomes, (), (), unrelated, 1.0, 1.0, (), Limits())


@given(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans())
def test_what_did_not_take_is_named(before: float, after: float, said: bool, held: bool) -> None:
    one = outcome(before, after, said=said, held=held)
    effect = made_of(one)
    assert effect.failed == (() if said else (one,))
    assert effect.lost == ((one,) if held and not said else ())
    assert one.likelier == (after > before)
    assert one.paraphrases_taken == said
    assert effect.worst is None
    assert [check.passed for check in effect.checks] == [None] * 4
    # What a later edit was made to replace has not failed.
    replaced = made_of(outcome(before, after, said=False, held=True, later=OTHER))
    assert replaced.failed == replaced.lost == ()
    assert len(replaced.overwritten) == 2


def test_the_fact_that_lost_most_is_the_one_that_lost_most_of_what_it_had() -> None:
    """Losses are relative: a halved probability counts more than a larger absolute loss."""
    halved, higher = Shift("p", "o", 0.111, 0.056), Shift("p", "o", 0.209, 0.136)
    hardly_said = Shift("p", "o", 0.003, 2.3e-05)
    effect = made_of(unrelated=(higher, halved, hardly_said))
    assert effect.worst is halved
    assert hardly_said.kept == 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1))
def test_what_is_kept_is_relative(before: float, after: float, scale: float) -> None:
    shift = Shift("p", "o", before, after)
    assert (shift.kept < 1) == (max(after, FLOOR) < max(before, FLOOR))
    if min(before, after) * scale >= FLOOR:
        smaller = Shift("p", "o", before * scale, after * scale)
        assert smaller.kept == pytest.approx(shift.kept)


def test_words_of_the_starter_graph_are_filled_in() -> None:
    fact = next(f for f in GRAPH.facts if len(GRAPH.objects(f.subject, f.relation)) > 1)
    asked = Request(
        prompt=fact.relation.prompt, subject=fact.subject.label, target=fact.object.label
    )
    found = filled_in(asked, GRAPH)
    assert found.paraphrases == fact.relation.paraphrases
    labels = {each.label for each in GRAPH.objects(fact.subject, fact.relation)}
    assert set(found.true_objects) == labels - {fact.object.label}
    assert filled_in(REQUEST, GRAPH) == REQUEST
    named = Request(
        prompt=fact.relation.paraphrases[0],
        subject=fact.subject.label,
        target="x",
        true_objects=("y",),
    )
    assert filled_in(named, GRAPH).true_objects == ("y",)
    assert fact.relation.prompt in filled_in(named, GRAPH).paraphrases


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(GRAPH.facts))
def test_unrelated_facts_name_nothing_of_the_edit(fact: object) -> None:
    subject, target = fact.subject.label, fact.object.label
    request = Request(prompt="{} is", subject=subject, target=target)
    facts = unrelated_facts(GRAPH, [request], 60)
    assert len(facts) == len({f.subject for f in facts}) == 60
    assert not {subject, target} & {n.label for f in facts for n in (f.subject, f.object)}
    again = unrelated_facts(GRAPH, [REQUEST], 60)
    assert len(set(again) & set(facts)) > 50, "other edits are held against nearly the same"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(GRAPH.facts), st.sampled_from(sorted(kinds())))
def test_what_is_asked_beside_an_edit_is_about_something_else(fact: object, kind: str) -> None:
    prompt, subject = fact.relation.prompt, fact.subject.label
    request = filled_in(Request(prompt=prompt, subject=subject, target="Rome"), GRAPH)
    own = {text.format(subject) for text in (request.prompt, *request.paraphrases)}
    near = neighbours(request, GRAPH, kinds()[kind])
    same = other_relations(request, GRAPH, kinds()[kind])
    asked = [one.prompt for one in (*near, *same)]
    assert len(asked) == len(set(asked)) and not own & set(asked)
    before, after = prompt.split("{}")
    assert all(one.prompt.startswith(before) and one.prompt.endswith(after) for one in near)
    assert all(subject in one.prompt for one in same)
    assert {one.object for one in near} - {None}, "the graph knows the relation of other subjects"
    assert len(near) >= 10 and len(same) >= 4
    # What the graph says of another subject is told with it.
    other = next(one for one in near if one.object is not None)
    told = {(f.subject.label, f.object.label) for f in GRAPH.facts_of(fact.relation)}
    assert any(other.prompt == prompt.format(s) and other.object == o for s, o in told)


def test_what_is_itself_edited_is_no_bystander(
    model: LanguageModel, updates: tuple[Update, Update]
) -> None:
    requests = [
        Request(prompt="The capital of {} is", subject=name, target="Paris")
        for name in ("Germany", "Italy", "Spain")
    ]
    found = effect_of(model, requests, updates[0], graph=GRAPH, corpus=CORPUS)
    edited = {one.prompt.format(one.subject) for one in requests}
    assert len(found.around) == 3
    for around in found.around:
        asked = {one.prompt for one in (*around.neighbours, *around.relations)}
        assert "The capital of France is" in asked
        assert not edited & asked

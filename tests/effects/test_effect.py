"""What is told of an edit is what the edited model does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.bench.bystanders import filled_in, unrelated_facts
from pitfalls.bench.effect import Effect, Outcome, Shift, Wording, effect_of
from pitfalls.editors.editor import Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.request import Request
from pitfalls.editors.update import Update
from pitfalls.graph.starter import starter_graph
from pitfalls.models.corpus import Corpus
from pitfalls.models.greedy import Said
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.perplexity import perplexity
from pitfalls.models.readout import Question, plain_target_logprobs
from pitfalls.testing import TEXT, snapshot, tiny_model, unchanged

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


def outcome(before: float, after: float, *, said: bool, held: bool = False) -> Outcome:
    wording = Wording(
        Shift("p", "o", before, after), Said("x", held, 2), Said("y", said, 1 if said else 2)
    )
    return Outcome(REQUEST, (wording, wording), ())


@given(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans())
def test_what_did_not_take_is_named(before: float, after: float, said: bool, held: bool) -> None:
    one = outcome(before, after, said=said, held=held)
    effect = Effect((one,), (one,), (), 1.0, 1.0, ())
    assert effect.failed == (() if said else (one,))
    assert effect.lost == ((one,) if held and not said else ())
    assert one.likelier == (after > before)
    assert one.paraphrases_taken == said
    assert effect.worst is None


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

"""Context templates read as text, come out the same each time, and cost nobody their luck."""

import string
from dataclasses import replace

import pytest
import torch

from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model

SOME = Contexts(lengths=((3, 4), (6, 2)))


def talking_model(letters: str = string.ascii_letters) -> LanguageModel:
    """A model that knows no words but says nothing except tokens of a space and `letters`."""
    model = tiny_model("gptj")
    bias = model.network.get_parameter("lm_head.bias")
    with torch.no_grad():
        for token in range(len(model.tokenizer)):
            text = model.tokenizer.decode([token])
            said = text.startswith(" ") and text[1:] and set(text[1:]) <= set(letters)
            bias[token] = 0.0 if said else -1e4
    return model


@pytest.fixture(scope="module")
def talking() -> LanguageModel:
    return talking_model()


def test_templates_are_the_bare_prompt_and_texts(talking: LanguageModel):
    first, *sampled = SOME.of(talking)
    assert first == "{}"
    assert len(sampled) == 6
    assert len(set(sampled)) > 1
    for template in sampled:
        assert template.count("{}") == 1
        assert template.endswith(". {}")
        text = template.removesuffix(". {}")
        assert len(text.split()) >= 2
        assert set(text) <= set(string.ascii_letters + " ")
        assert text == " ".join(text.split())


def test_lengths_are_numbers_of_new_tokens(talking: LanguageModel):
    _, *sampled = SOME.of(talking)
    lengths = [len(template.removesuffix(". {}").split()) for template in sampled]
    assert lengths == [3] * 4 + [6] * 2  # every token this model says is one word


def test_texts_begin_with_the_words_in_turn(talking: LanguageModel):
    words = ("The", "Because", "I")
    _, *sampled = replace(SOME, words=words, lengths=((4, 5),)).of(talking)
    assert [template.split()[0] for template in sampled] == [
        "The",
        "Because",
        "I",
        "The",
        "Because",
    ]


def test_same_seed_same_templates(talking: LanguageModel):
    assert SOME.of(talking) == SOME.of(talking_model())
    assert SOME.of(talking) != replace(SOME, seed=1).of(talking)


def test_templates_are_sampled_once(talking: LanguageModel, monkeypatch: pytest.MonkeyPatch):
    first = SOME.of(talking)
    monkeypatch.setattr(talking.network, "generate", None)
    assert SOME.of(talking) is first


def test_the_callers_random_numbers_are_untouched():
    model = talking_model()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    SOME.of(model)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(torch.rand(3), expected)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        assert SOME.of(talking_model()) == SOME.of(model), "nor do they matter"


def test_given_templates_are_taken_as_they_are(model: LanguageModel):
    given = ("{}", "One day, {}", "日本. {}")
    assert Contexts(templates=given).of(model) == given


@pytest.mark.parametrize("template", ["no place", "{} and {}", "{"])
def test_a_template_without_one_place_is_refused(model: LanguageModel, template: str):
    with pytest.raises(PitfallsError, match="expected exactly one") as told:
        Contexts(templates=("{}", template)).of(model)
    assert template in str(told.value)


def test_a_model_that_gives_no_text_is_told():
    model = talking_model(letters="0123456789@")
    with pytest.raises(PitfallsError, match="does not go on from '' with text but") as told:
        SOME.of(model)
    assert str(told.value).endswith("give context templates in the editor's settings")
    assert "\n" not in str(told.value)


def test_a_model_without_a_beginning_needs_words():
    model = talking_model()
    model.tokenizer.bos_token = model.tokenizer.eos_token = None
    with pytest.raises(PitfallsError, match=r"no beginning-of-text token .* name the words"):
        SOME.of(model)
    assert len(replace(SOME, words=("The",)).of(model)) == 7

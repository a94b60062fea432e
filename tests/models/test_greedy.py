"""Greedy decoding and perplexity of edited models, against plain implementations."""

import math

import pytest
import torch
from changes import some_updates
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import Said, greedy
from pitfalls.models.reading.perplexity import perplexity
from pitfalls.models.reading.readout import Question
from pitfalls.models.tokens import tokenize_target
from pitfalls.testing import FAMILY_KINDS, TEXT, tiny_model
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS)

PROMPTS = (
    "The capital of Côte d'Ivoire is",
    "x",
    "One day, in the city of Łódź,  it is known that the author, ",
)
TARGETS = ("Paris", "Łódź in Poland")
LENGTH = 6


@torch.no_grad()
def plainly(model: LanguageModel, prompt: str, target: str, update: Update) -> Said:
    """Decode one text at a time without a cache, with the update applied to the weights."""
    ids, wanted = tokenize_target(model.tokenizer, prompt, target)
    length, said, rank = max(LENGTH, len(wanted)), list(ids), 0
    with update.applied(model):
        while len(said) < len(ids) + length:
            logits = model.network(torch.tensor([said])).logits[0, -1]
            rank = rank or 1 + sum(value > logits[wanted[0]] for value in logits).item()
            said.append(int(logits.argmax()))
    new = tuple(said[len(ids) :])
    text = " ".join(model.tokenizer.decode(new).split())
    return Said(text, new[: len(wanted)] == wanted, rank)


@pytest.mark.parametrize("budget", [40, 2048])
def test_what_is_said_together_is_said_alone(model: LanguageModel, budget: int) -> None:
    asked = [(p, t, u) for u in some_updates(model)[::2] for p in PROMPTS for t in TARGETS]
    questions = [Question(p, t, u.changes) for p, t, u in asked]
    for (prompt, target, update), found in zip(
        asked, greedy(model, questions, n_tokens=LENGTH, token_budget=budget), strict=True
    ):
        expected = plainly(model, prompt, target, update)
        assert (found.rank, found.says_target) == (expected.rank, expected.says_target)
        assert found.text.startswith(expected.text[: len(found.text)])


def test_a_text_ends_where_the_model_ends_it(family: str) -> None:
    model = tiny_model(family)  # its own: the tokenizer is changed
    asked = [Question(prompt, "Paris", {}) for prompt in PROMPTS]
    answers = zip(asked, greedy(model, asked), strict=True)
    question = next(one for one, said in answers if said.text)
    ids, _ = tokenize_target(model.tokenizer, question.prompt, "Paris")
    with torch.no_grad():
        first = int(model.network(torch.tensor([ids])).logits[0, -1].argmax())
    model.tokenizer.eos_token = model.tokenizer.convert_ids_to_tokens(first)
    assert not greedy(model, [question])[0].text


@pytest.mark.parametrize("max_tokens", [40, 10_000])
def test_perplexity_is_that_of_the_changed_weights(model: LanguageModel, max_tokens: int) -> None:
    words = TEXT.split()
    texts = [" ".join(words[i : i + 5 + 3 * i]) for i in range(9)]
    found = []
    for update in some_updates(model):
        left, losses = max_tokens, []
        with update.applied(model):
            for text in texts:
                ids = model.tokenizer(text, return_tensors="pt")["input_ids"][:, :left]
                left -= ids.shape[1]
                if ids.shape[1] > 1:
                    with torch.no_grad():
                        logprobs = model.network(ids).logits[0, :-1].log_softmax(-1)
                    losses += (-logprobs.gather(1, ids[0, 1:, None])[:, 0]).tolist()
        expected = torch.tensor(losses, dtype=torch.float64).mean().exp().item()
        found.append(perplexity(model, texts, update.changes, max_tokens=max_tokens))
        assert found[-1] == pytest.approx(expected, rel=1e-4)
    assert len(set(found)) == len(found), "changes reach the text"


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 500))
def test_the_budget_plays_no_part(budget: int) -> None:
    model = tiny_model("llama")
    texts = [TEXT[i:] for i in range(0, 400, 80)]
    whole = perplexity(model, texts, {})
    assert perplexity(model, texts, {}, token_budget=budget) == pytest.approx(whole, rel=1e-4)


def test_text_without_two_tokens_has_no_perplexity() -> None:
    assert math.isnan(perplexity(tiny_model("gpt2"), ["x"], {}))

"""Shared prefixes and batches give the same results as one question at a time."""

import random

import pytest
import torch
from changes import some_updates

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import (
    HEAD_ROWS,
    Question,
    logprobs_of,
    plain_target_logprobs,
    target_logprobs,
)
from pitfalls.models.tokens import tokenize_target
from pitfalls.testing import FAMILY_KINDS

pytestmark = pytest.mark.families(FAMILY_KINDS)

PROMPTS = (
    "The capital of Côte d'Ivoire is",
    "Marie Curie was born in",
    "x",
    "One day, in the city of Łódź,  it is known that the author, ",
)
TARGETS = ("Paris", "Vienna", "a", "Łódź in Poland", "日本", "the field of physics", "Paris is")
ROUNDING = {"rtol": 1e-4, "atol": 1e-5}


def questions(model: LanguageModel, seed: int) -> list[Question]:
    """Every target after every prompt under every update, shuffled, with duplicates."""
    every = [
        Question(prompt, target, update.changes)
        for update in some_updates(model)
        for prompt in PROMPTS
        for target in TARGETS
    ]
    some = random.Random(seed)
    return some.sample(every, 60) + some.choices(every, k=5)


@pytest.mark.parametrize("budget", [1, 40, 4096])
def test_shared_prefixes_are_plain_questions(model: LanguageModel, budget: int):
    asked = questions(model, seed=budget)
    shared = target_logprobs(model, asked, token_budget=budget)
    plain = plain_target_logprobs(model, asked)
    assert len(shared) == len(asked)
    for ours, theirs in zip(shared, plain, strict=True):
        torch.testing.assert_close(ours, theirs, **ROUNDING)


def test_changes_reach_the_answers(model: LanguageModel):
    """Otherwise the comparison above would hold for a readout that ignores the changes."""
    updates = some_updates(model)
    every = [Question(text, "Paris", update.changes) for update in updates for text in PROMPTS]
    answers = torch.stack([answer.sum() for answer in target_logprobs(model, every)])
    by_model = answers.unflatten(0, (len(updates), len(PROMPTS)))
    gaps = [(a - b).abs().max() for i, a in enumerate(by_model) for b in by_model[:i]]
    assert min(gaps) > 1e-3


def test_the_padding_side_of_the_tokenizer_plays_no_part(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
):
    asked = questions(model, seed=0)
    answers = []
    for side in ("left", "right"):
        monkeypatch.setattr(model.tokenizer, "padding_side", side)
        answers.append(target_logprobs(model, asked))
    assert all(torch.equal(left, right) for left, right in zip(*answers, strict=True))


def test_a_question_does_not_depend_on_its_neighbours(model: LanguageModel):
    asked = questions(model, seed=1)
    together = target_logprobs(model, asked)
    for i in range(0, len(asked), 9):
        (alone,) = target_logprobs(model, [asked[i]])
        torch.testing.assert_close(alone, together[i], **ROUNDING)


def test_an_answer_has_a_number_per_token_and_sums_to_one(model: LanguageModel):
    for answer, question in zip(
        target_logprobs(model, questions(model, seed=2)), questions(model, seed=2), strict=True
    ):
        _, target = tokenize_target(model.tokenizer, question.prompt, question.target)
        assert answer.shape == (len(target),)
        assert answer.dtype == torch.float32
    hidden = torch.randn(1, model.width).expand(len(model.tokenizer), -1)
    every = logprobs_of(model, hidden, ids := torch.arange(len(model.tokenizer)), ids)
    assert every.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_logits_formed_in_pieces_are_the_same_logits(model: LanguageModel):
    rows = HEAD_ROWS + 3
    hidden = torch.randn(rows, model.width, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(rows) % len(model.tokenizer)
    pieces = logprobs_of(model, hidden, ids, torch.arange(rows))
    whole = model.head_logits(hidden).log_softmax(-1).gather(1, ids[:, None])[:, 0]
    torch.testing.assert_close(pieces, whole)


def test_no_questions_no_answers(model: LanguageModel):
    assert target_logprobs(model, []) == []


def test_a_text_longer_than_the_model_reads_is_refused_in_one_line(model: LanguageModel) -> None:
    if model.max_length is None:
        assert target_logprobs(model, [Question("word " * 300, "end", {})])[0].isfinite().all()
        return
    prompt = "word " * (model.max_length + 1)
    with pytest.raises(PitfallsError, match=rf"reads {model.max_length}; shorten") as caught:
        target_logprobs(model, [Question(prompt.strip(), "end", {})])
    assert "\n" not in str(caught.value)

"""Log-probabilities of targets after prompts, for many edited models at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.label_logprobs import label_logprobs
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.passes import cached_layers, logits_at, right_output, run_left
from pitfalls.models.running.patches import row_patches
from pitfalls.models.running.sharing import lowest_block, shared_below
from pitfalls.models.tokens import Split, tokenize_target
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Changes

TARGET_TOKENS = 2048
"""Most padded tokens in one forward pass over targets."""

HEAD_ROWS = 512
"""Positions per computation of logits: 100 MB for a vocabulary of 50,000."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Query for the probability of `target` after `prompt` under the model plus `changes`."""

    prompt: str
    target: str
    changes: Changes
    """Questions to the same edited model share this object."""


@dataclass(slots=True)
class _Prompt:
    """One prompt under one edited model, with all its targets."""

    ids: tuple[int, ...]
    changes: Changes
    targets: dict[tuple[int, ...], list[int]] = field(default_factory=dict)
    """Token ids of a target → positions of its questions."""


def target_logprobs(
    model: LanguageModel, questions: Sequence[Question], *, token_budget: int = 4096
) -> list[Float[Tensor, " tokens"]]:
    """Log-probability (natural, teacher-forced) of every target token of every question.

    A prompt is run once for all its targets; its last hidden state predicts their first tokens.
    Edited models share the blocks below the lowest edited one.

    Args:
        model: the model.
        questions: any number, in any order; the result does not depend on how they are grouped.
        token_budget: most padded tokens of prompts in one forward pass.
    """
    if model.plain:
        return plain_target_logprobs(model, questions)
    texts = _group(model, questions)
    sizes = [(len(text), len(text[0].ids)) for text in texts]
    answers: dict[int, Tensor] = {}
    for batch in batches_within(sizes, token_budget):
        for answer in run_split_on_oom(
            lambda part: _answer(model, part), [prompt for i in batch for prompt in texts[i]]
        ):
            answers.update(answer)
    return [answers[i] for i in range(len(questions))]


def plain_target_logprobs(
    model: LanguageModel, questions: Sequence[Question]
) -> list[Float[Tensor, " tokens"]]:
    """Reference for `target_logprobs`, as in the published code: one target of one model at a time.

    Consecutive prompts with the same target and model form a batch of whole texts.
    """
    answers = []
    for _, alike in groupby(
        questions, key=lambda question: (id(question.changes), question.target)
    ):
        answers += _together(model, list(alike))
    return answers


@torch.no_grad()
def _together(
    model: LanguageModel, questions: Sequence[Question]
) -> list[Float[Tensor, " tokens"]]:
    """Answer questions in one pass over whole texts."""
    texts = [tokenize_target(model.tokenizer, q.prompt, q.target) for q in questions]
    with row_patches(model.network, [question.changes for question in questions]):
        batch = model.batch([Split((), prompt + target) for prompt, target in texts])
        hidden = right_output(model, batch, None)
    places = [
        (row, len(prompt) - 1 + j, target[j])
        for row, (prompt, target) in enumerate(texts)
        for j in range(len(target))
    ]
    row, column, ids = uploaded(places, model.device).unbind(1)
    logprobs = label_logprobs(logits_at(model, hidden, row, column), ids)
    return list(logprobs.cpu().split([len(target) for _, target in texts]))


def _group(model: LanguageModel, questions: Sequence[Question]) -> list[list[_Prompt]]:
    """Prompts to run, grouped by text: each group has one prompt per edited model."""
    # Many edited models are asked the same texts: each is tokenised once.
    texts = dict.fromkeys((question.prompt, question.target) for question in questions)
    tokens = {text: tokenize_target(model.tokenizer, *text) for text in texts}
    prompts: dict[tuple[int, ...], dict[int, _Prompt]] = {}
    for i, question in enumerate(questions):
        ids, target = tokens[question.prompt, question.target]
        prompt = prompts.setdefault(ids, {}).setdefault(
            id(question.changes), _Prompt(ids, question.changes)
        )
        prompt.targets.setdefault(target, []).append(i)
    return [list(by_model.values()) for by_model in prompts.values()]


@torch.no_grad()
def _answer(model: LanguageModel, prompts: Sequence[_Prompt]) -> list[dict[int, Tensor]]:
    """Question position → log-probabilities of its target's tokens, for each prompt."""
    layer = lowest_block(model, [prompt.changes for prompt in prompts])
    texts = [prompt.ids for prompt in prompts]
    with (
        row_patches(model.network, [prompt.changes for prompt in prompts]),
        shared_below(model, layer, texts) as run,
    ):
        hidden, cache = run_left(model, model.batch([Split(ids, (0,)) for ids in texts]))
    rows = [(i, target) for i, prompt in enumerate(prompts) for target in prompt.targets]
    owner = torch.tensor([i for i, _ in rows])
    first = torch.tensor([target[0] for _, target in rows])
    found = [logprobs_of(model, hidden[:, -1], first, owner)]
    long = [j for j, (_, target) in enumerate(rows) if len(target) > 1]
    prefix = [(kept.keys, kept.values) for kept in cached_layers(cache)]
    # Most targets are short: batches of similar lengths avoid padding.
    batches = batches_within([(1, len(rows[j][1]) - 1) for j in long], TARGET_TOKENS)
    asked_in = [[long[n] for n in some] for some in batches]
    for asked in asked_in:
        for kept, (keys, values) in zip(cached_layers(cache), prefix, strict=True):
            kept.keys, kept.values = keys, values
        found.append(_go_on(model, prompts, [rows[j] for j in asked], cache, layer, run))
    everything = torch.cat(found).cpu()  # the only time that the host waits
    lengths = [1] * len(rows) + [len(rows[j][1]) - 1 for asked in asked_in for j in asked]
    pieces = everything.split(lengths)
    parts = [[piece] for piece in pieces[: len(rows)]]
    order = [j for asked in asked_in for j in asked]
    for j, piece in zip(order, pieces[len(rows) :], strict=True):
        parts[j].append(piece)

    answers: list[dict[int, Tensor]] = [{} for _ in prompts]
    for (i, target), part in zip(rows, parts, strict=True):
        answers[i].update(dict.fromkeys(prompts[i].targets[target], torch.cat(part)))
    return answers


def _go_on(
    model: LanguageModel,
    prompts: Sequence[_Prompt],
    rows: Sequence[tuple[int, tuple[int, ...]]],
    cache: DynamicCache,
    layer: int,
    run: Sequence[int],
) -> Float[Tensor, " tokens"]:
    """Log-probabilities of the targets' second and later tokens, target after target.

    Args:
        model: the model.
        prompts: the prompts already run.
        rows: index of the prompt, and the target, for each target.
        cache: the prompts' keys and values; it is consumed.
        layer: first block whose cache has a row for every prompt.
        run: indices of the prompts that have rows in the cache of the blocks below.
    """
    owner = uploaded([i for i, _ in rows], model.device)
    texts = [(prompts[i].ids, target) for i, target in rows]
    splits = [Split(ids, target[:-1]) for ids, target in texts]
    batch = model.batch(splits, n_left=cache.get_seq_length())
    below = {prompts[i].ids: n for n, i in enumerate(run)}
    with (
        row_patches(model.network, [prompts[i].changes for i, _ in rows]),
        shared_below(model, layer, texts) as again,
    ):
        source = uploaded([below[texts[i][0]] for i in again], model.device)
        for number, kept in enumerate(cached_layers(cache)):
            rows_of = source if number < layer else owner
            kept.batch_select_indices(rows_of.to(kept.device))
        hidden = right_output(model, batch, cache)
    places = [(n, j) for n, (_, target) in enumerate(rows) for j in range(len(target) - 1)]
    row, column = uploaded(places, model.device).unbind(1)
    ids = torch.tensor([t for _, target in rows for t in target[1:]])
    return logprobs_of(model, hidden[row, column], ids, torch.arange(len(ids)))


def logprobs_of(
    model: LanguageModel,
    hidden: Float[Tensor, "n d"],
    ids: Int[Tensor, " m"],
    owner: Int[Tensor, " m"],
) -> Float[Tensor, " m"]:
    """Log-probabilities log p(ids[j] | hidden[owner[j]]), with logits for a few rows at a time.

    Args:
        model: the model.
        hidden: hidden states after the final norm.
        ids: tokens, on any device.
        owner: rows of `hidden`, ascending, on the CPU.
    """
    begins = list(range(0, len(hidden), HEAD_ROWS))
    bounds = torch.searchsorted(owner, torch.tensor([*begins, len(hidden)])).tolist()
    rows, ids = uploaded(owner, hidden.device), ids.to(hidden.device, non_blocking=True)
    parts = []
    for begin, (first, end) in zip(begins, pairwise(bounds), strict=True):
        logprobs = model.head_logits(hidden[begin : begin + HEAD_ROWS]).log_softmax(-1)
        parts.append(logprobs[rows[first:end] - begin, ids[first:end]])
    return torch.cat(parts)

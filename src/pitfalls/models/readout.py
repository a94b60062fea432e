"""Log-probabilities of targets after prompts, for many differently edited models at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.packing import pack, run_split_on_oom
from pitfalls.models.passes import cached_layers, right_output, run_left
from pitfalls.models.patches import Changes, row_patches
from pitfalls.models.tokens import Split, tokenize_target

HEAD_ROWS = 512
"""Positions whose logits are formed at a time: a vocabulary of 50,000 then takes 100 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """How probable is `target` after `prompt` under the model plus `changes`?"""

    prompt: str
    target: str
    changes: Changes
    """Questions to one edited model share one object here."""


@dataclass(slots=True)
class _Prompt:
    """One prompt under one edited model, with all the targets asked of it."""

    ids: tuple[int, ...]
    changes: Changes
    targets: dict[tuple[int, ...], list[int]] = field(default_factory=dict)
    """Token ids of a target → positions of the questions that ask for it."""


def target_logprobs(
    model: LanguageModel, questions: Sequence[Question], *, token_budget: int = 4096
) -> list[Float[Tensor, " tokens"]]:
    """Log-probability (natural, teacher-forced) of every target token of every question.

    A prompt is run once for all its targets; its last hidden state predicts their first tokens.

    Args:
        model: the model.
        questions: any number, in any order; the result does not depend on what they share.
        token_budget: the most padded tokens in one forward pass.
    """
    prompts = _group(model, questions)
    answers: dict[int, Tensor] = {}
    sizes = [(1 + len(p.targets), len(p.ids) + max(map(len, p.targets))) for p in prompts]
    for batch in pack(sizes, token_budget):
        for answer in run_split_on_oom(
            lambda part: _answer(model, part), [prompts[i] for i in batch]
        ):
            answers.update(answer)
    return [answers[i] for i in range(len(questions))]


def plain_target_logprobs(
    model: LanguageModel, questions: Sequence[Question]
) -> list[Float[Tensor, " tokens"]]:
    """The same, one question at a time, whole texts, all positions: the oracle."""
    return [_plain(model, question) for question in questions]


@torch.no_grad()
def _plain(model: LanguageModel, question: Question) -> Float[Tensor, " tokens"]:
    prompt, target = tokenize_target(model.tokenizer, question.prompt, question.target)
    with row_patches(model.network, [question.changes]):
        hidden = right_output(model, model.batch([Split((), prompt + target)]), None)
    logits = model.head_logits(hidden)[0, len(prompt) - 1 : -1]
    ids = torch.tensor(target, device=logits.device)
    return logits.log_softmax(-1).gather(1, ids[:, None])[:, 0].cpu()


def _group(model: LanguageModel, questions: Sequence[Question]) -> list[_Prompt]:
    # The same texts are asked of many edited models: each is tokenised once.
    texts = dict.fromkeys((question.prompt, question.target) for question in questions)
    tokens = {text: tokenize_target(model.tokenizer, *text) for text in texts}
    prompts: dict[tuple[int, tuple[int, ...]], _Prompt] = {}
    for i, question in enumerate(questions):
        ids, target = tokens[question.prompt, question.target]
        prompt = prompts.setdefault((id(question.changes), ids), _Prompt(ids, question.changes))
        prompt.targets.setdefault(target, []).append(i)
    return list(prompts.values())


@torch.no_grad()
def _answer(model: LanguageModel, prompts: Sequence[_Prompt]) -> list[dict[int, Tensor]]:
    """For each prompt: question position → log-probabilities of its target's tokens."""
    rows = [(i, target) for i, prompt in enumerate(prompts) for target in prompt.targets]
    with row_patches(model.network, [prompt.changes for prompt in prompts]):
        hidden, cache = run_left(model, model.batch([Split(p.ids, (0,)) for p in prompts]))
    owner = torch.tensor([i for i, _ in rows], device=model.device)
    first = torch.tensor([target[0] for _, target in rows], device=model.device)
    parts = [[logprob] for logprob in logprobs_of(model, hidden[owner, -1], first).cpu().split(1)]

    long = [j for j, (_, target) in enumerate(rows) if len(target) > 1]
    if long:
        for layer in cached_layers(cache):
            layer.batch_select_indices(owner[long])
        splits = [Split(prompts[rows[j][0]].ids, rows[j][1][:-1]) for j in long]
        batch = model.batch(splits, n_left=cache.get_seq_length())
        with row_patches(model.network, [prompts[rows[j][0]].changes for j in long]):
            hidden = right_output(model, batch, cache)
        rest = torch.tensor([t for j in long for t in rows[j][1][1:]], device=model.device)
        real = batch.mask[:, batch.left.shape[1] :]
        flat = logprobs_of(model, hidden[real], rest).cpu()
        for j, piece in zip(long, flat.split([len(rows[j][1]) - 1 for j in long]), strict=True):
            parts[j].append(piece)

    answers: list[dict[int, Tensor]] = [{} for _ in prompts]
    for (i, target), part in zip(rows, parts, strict=True):
        answers[i].update(dict.fromkeys(prompts[i].targets[target], torch.cat(part)))
    return answers


def logprobs_of(
    model: LanguageModel, hidden: Float[Tensor, "n d"], ids: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """The numbers log p(ids[i] | hidden[i]), forming the logits of a few rows at a time."""
    return torch.cat(
        [
            model.head_logits(h).log_softmax(-1).gather(1, t[:, None])[:, 0]
            for h, t in zip(hidden.split(HEAD_ROWS), ids.split(HEAD_ROWS), strict=True)
        ]
    )

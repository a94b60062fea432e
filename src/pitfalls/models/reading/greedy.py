"""Greedy decoding with edited models, and the rank of a target."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.passes import right_output, run_left
from pitfalls.models.running.patches import row_patches
from pitfalls.models.tokens import Split, tokenize_target
from pitfalls.models.weights.changes import Changes


@dataclass(frozen=True, slots=True)
class Said:
    """Greedy continuation of a prompt."""

    text: str
    says_target: bool
    """Whether the continuation starts with the target, token for token."""
    rank: int
    """Rank of the target's first token among all tokens, from 1; ties rank below it."""


@dataclass(frozen=True, slots=True)
class Generated:
    """Text that a model generates greedily."""

    ids: tuple[int, ...]
    """Token ids up to the end-of-text token."""
    text: str
    """Decoded text on one line."""


Ids = tuple[int, ...]


def greedy(
    model: LanguageModel,
    questions: Sequence[Question],
    *,
    n_tokens: int = 8,
    token_budget: int = 2048,
) -> list[Said]:
    """Decode a continuation for each question, in order; no weight is modified.

    Args:
        model: the model.
        questions: prompts, with the target and the changes of weights for each.
        n_tokens: least number of tokens; more if the longest target needs it.
        token_budget: most padded tokens in one forward pass.
    """
    texts = [tokenize_target(model.tokenizer, q.prompt, q.target) for q in questions]
    length = max([n_tokens, *(len(target) for _, target in texts)])
    said: dict[int, Said] = {}
    for part in batches_within([(1, len(prompt) + length) for prompt, _ in texts], token_budget):
        rows = [(texts[i], questions[i].changes) for i in part]
        found = run_split_on_oom(lambda some: _say(model, some, length), rows)
        said.update(zip(part, found, strict=True))
    return [said[i] for i in range(len(questions))]


def generate(
    model: LanguageModel,
    texts: Sequence[tuple[Ids, Changes]],
    *,
    n_tokens: int,
    token_budget: int = 2048,
) -> list[Generated]:
    """Generate text after each text, in order; no weight is modified.

    Args:
        model: the model.
        texts: token ids, at least one, and the changes of weights for each text.
        n_tokens: number of tokens; fewer if the model's maximum length is reached.
        token_budget: most padded tokens in one forward pass.
    """
    written: dict[int, Generated] = {}
    for part in batches_within([(1, len(ids) + n_tokens) for ids, _ in texts], token_budget):
        rows = [texts[i] for i in part]
        found = run_split_on_oom(lambda some: _write(model, some, n_tokens), rows)
        written.update(zip(part, found, strict=True))
    return [written[i] for i in range(len(texts))]


Row = tuple[tuple[Ids, Ids], Changes]
"""Token ids of prompt and target, and the changes."""


def _say(model: LanguageModel, rows: Sequence[Row], length: int) -> list[Said]:
    texts = [(prompt, changes) for (prompt, _), changes in rows]
    first = torch.tensor([target[0] for (_, target), _ in rows], device=model.device)
    logits, said = _extended(model, texts, length)
    ranks = (logits > logits.gather(1, first[:, None])).sum(1) + 1
    return [
        Said(_text(model, _until_end(model, ids)), ids[: len(target)] == target, int(rank))
        for ((_, target), _), ids, rank in zip(rows, map(_ids, said), ranks, strict=True)
    ]


def _write(
    model: LanguageModel, texts: Sequence[tuple[Ids, Changes]], length: int
) -> list[Generated]:
    if model.max_length is not None:
        length = max(1, min(length, model.max_length - max(len(ids) for ids, _ in texts)))
    _, written = _extended(model, texts, length)
    kept = [_until_end(model, _ids(row)) for row in written]
    return [Generated(ids, _text(model, ids)) for ids in kept]


@torch.no_grad()
def _extended(
    model: LanguageModel, texts: Sequence[tuple[Ids, Changes]], length: int
) -> tuple[Float[Tensor, "rows vocabulary"], Int[Tensor, "rows length"]]:
    """Logits at the end of each text, and the tokens decoded after it."""
    prompts = [ids for ids, _ in texts]
    with row_patches(model.network, [changes for _, changes in texts]):
        hidden, cache = run_left(model, model.batch([Split(ids, (0,)) for ids in prompts]))
        first = logits = model.head_logits(hidden[:, -1])
        said = logits.argmax(1, keepdim=True)
        for _ in range(length - 1):
            left = [ids + _ids(more[:-1]) for ids, more in zip(prompts, said, strict=True)]
            splits = [Split(a, _ids(more[-1:])) for a, more in zip(left, said, strict=True)]
            batch = model.batch(splits, n_left=cache.get_seq_length())
            logits = model.head_logits(right_output(model, batch, cache)[:, -1])
            said = torch.cat([said, logits.argmax(1, keepdim=True)], 1)
    return first, said


def _ids(row: Int[Tensor, " tokens"]) -> Ids:
    return tuple(row.tolist())


def _until_end(model: LanguageModel, ids: Ids) -> Ids:
    end = model.tokenizer.eos_token_id
    return ids[: ids.index(end)] if end in ids else ids


def _text(model: LanguageModel, ids: Ids) -> str:
    return " ".join(str(model.tokenizer.decode(list(ids))).split())

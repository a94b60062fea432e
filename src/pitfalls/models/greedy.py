"""What an edited model says by itself, and how far down a target stands on its list."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.packing import pack, run_split_on_oom
from pitfalls.models.passes import right_output, run_left
from pitfalls.models.patches import Changes, row_patches
from pitfalls.models.readout import Question
from pitfalls.models.tokens import Split, tokenize_target


@dataclass(frozen=True, slots=True)
class Said:
    """How a model goes on after a prompt, always with the likeliest token."""

    text: str
    says_target: bool
    """Whether it goes on with the target, token for token."""
    rank: int
    """Of the target's first token among all tokens, 1 for the likeliest; ties count as below."""


def greedy(
    model: LanguageModel,
    questions: Sequence[Question],
    *,
    n_tokens: int = 8,
    token_budget: int = 2048,
) -> list[Said]:
    """What the model says to each question, in order; no weight is touched.

    Args:
        model: the model.
        questions: prompts, the targets to look for, and what is added to the weights for each.
        n_tokens: how much it says at least; as much as the longest target needs.
        token_budget: the most padded tokens in one forward pass.
    """
    texts = [tokenize_target(model.tokenizer, q.prompt, q.target) for q in questions]
    length = max([n_tokens, *(len(target) for _, target in texts)])
    said: dict[int, Said] = {}
    for part in pack([(1, len(prompt) + length) for prompt, _ in texts], token_budget):
        rows = [(texts[i], questions[i].changes) for i in part]
        found = run_split_on_oom(lambda some: _say(model, some, length), rows)
        said.update(zip(part, found, strict=True))
    return [said[i] for i in range(len(questions))]


Row = tuple[tuple[tuple[int, ...], tuple[int, ...]], Changes]
"""Token ids of prompt and target, and the changes."""


@torch.no_grad()
def _say(model: LanguageModel, rows: Sequence[Row], length: int) -> list[Said]:
    texts = [prompt for (prompt, _), _ in rows]
    first = torch.tensor([target[0] for (_, target), _ in rows], device=model.device)
    with row_patches(model.network, [changes for _, changes in rows]):
        hidden, cache = run_left(model, model.batch([Split(ids, (0,)) for ids in texts]))
        logits = model.head_logits(hidden[:, -1])
        ranks = (logits > logits.gather(1, first[:, None])).sum(1) + 1
        said = logits.argmax(1, keepdim=True)
        for _ in range(length - 1):
            left = [ids + _ids(more[:-1]) for ids, more in zip(texts, said, strict=True)]
            splits = [Split(a, _ids(more[-1:])) for a, more in zip(left, said, strict=True)]
            batch = model.batch(splits, n_left=cache.get_seq_length())
            logits = model.head_logits(right_output(model, batch, cache)[:, -1])
            said = torch.cat([said, logits.argmax(1, keepdim=True)], 1)
    return [
        Said(_text(model, ids), ids[: len(target)] == target, int(rank))
        for ((_, target), _), ids, rank in zip(rows, map(_ids, said), ranks, strict=True)
    ]


def _ids(row: Int[Tensor, " tokens"]) -> tuple[int, ...]:
    return tuple(row.tolist())


def _text(model: LanguageModel, ids: tuple[int, ...]) -> str:
    """What was said up to where the model ends the text, on one line."""
    end = model.tokenizer.eos_token_id
    kept = ids[: ids.index(end)] if end in ids else ids
    return " ".join(str(model.tokenizer.decode(list(kept))).split())

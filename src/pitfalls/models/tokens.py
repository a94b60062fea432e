"""Texts as tokens, and where in them a subject or a target lies.

Every position in the package comes from here, from character offsets of one joint tokenisation, so
that leading spaces, BOS tokens and multi-byte letters cannot shift a span by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from pitfalls.errors import PitfallsError


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenised text with the characters each token stands for."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    """Half-open character ranges; a special token such as BOS has an empty one."""

    def last_before(self, end: int) -> int:
        """Index of the last token that covers a character before `end`."""
        return max(i for i, (start, stop) in enumerate(self.offsets) if start < min(stop, end))

    def first_beyond(self, end: int) -> int:
        """Index of the first token that covers a character at or after `end`."""
        return min(i for i, (_, stop) in enumerate(self.offsets) if stop > end)


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str) -> Tokens:
    """`text` with the special tokens that the model expects in front.

    Raises:
        PitfallsError: the tokenizer cannot give character offsets.
    """
    if not tokenizer.is_fast:
        raise PitfallsError(
            f"{type(tokenizer).__name__} gives no character offsets, which positions are taken "
            "from: load the model with its fast tokenizer (tokenizer.json)"
        )
    encoded = tokenizer(text, return_offsets_mapping=True)
    return Tokens(tuple(encoded["input_ids"]), tuple(map(tuple, encoded["offset_mapping"])))


def tokenize_target(
    tokenizer: PreTrainedTokenizerBase, prompt: str, target: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Token ids of `prompt` and of the target that follows it after one space."""
    tokens = tokenize(tokenizer, f"{prompt} {target}")
    cut = tokens.first_beyond(len(prompt))
    return tokens.ids[:cut], tokens.ids[cut:]


@dataclass(frozen=True, slots=True)
class Split:
    """One row of a batch: a text cut where the interesting part begins."""

    left: tuple[int, ...]
    """Tokens whose hidden states nobody changes; may be empty."""
    right: tuple[int, ...]
    """Tokens from the cut on, at least one."""


@dataclass(frozen=True, slots=True)
class SplitBatch:
    """Rows padded so that every cut falls on the same column.

    Left parts are padded on the left, right parts on the right.
    """

    left: Int[Tensor, "rows left"]
    right: Int[Tensor, "rows right"]
    mask: Bool[Tensor, "rows left+right"]
    positions: Int[Tensor, "rows left+right"]

    @property
    def lengths(self) -> Int[Tensor, " rows"]:
        """Number of real tokens in each right part."""
        return self.mask[:, self.left.shape[1] :].sum(1)


def refuse_too_long(splits: Sequence[Split], most: int | None, reader: str) -> None:
    """Refuse texts of more tokens than their reader takes; None is no bound.

    Raises:
        PitfallsError: there is one; the line names the reader.
    """
    longest = max(len(split.left) + len(split.right) for split in splits)
    if most is not None and longest > most:
        raise PitfallsError(
            f"a text of {longest} tokens: {reader} reads {most}; "
            "shorten the prompt, the context or the target"
        )


def batch_splits(splits: Sequence[Split], *, device: torch.device, n_left: int = 0) -> SplitBatch:
    """Pad `splits` into one batch; padded tokens are id 0, masked, and never read.

    Args:
        splits: the rows.
        device: where the tensors go.
        n_left: pad the left parts to at least this, to line up with a cache made before.
    """
    n_left = max(n_left, *(len(row.left) for row in splits))
    n_right = max(len(row.right) for row in splits)
    left = torch.zeros(len(splits), n_left, dtype=torch.long)
    right = torch.zeros(len(splits), n_right, dtype=torch.long)
    mask = torch.zeros(len(splits), n_left + n_right, dtype=torch.bool)
    for i, row in enumerate(splits):
        start = n_left - len(row.left)
        left[i, start:] = torch.tensor(row.left, dtype=torch.long)
        right[i, : len(row.right)] = torch.tensor(row.right, dtype=torch.long)
        mask[i, start : n_left + len(row.right)] = True
    positions = (mask.long().cumsum(1) - 1).clamp(min=0)
    return SplitBatch(left.to(device), right.to(device), mask.to(device), positions.to(device))

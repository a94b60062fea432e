"""Tokenised texts, positions of subjects and targets in them, and batches.

All positions in the package are computed here, from the character offsets of one joint
tokenisation, so that leading spaces, BOS tokens and multi-byte letters cannot shift a span.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from pitfalls.errors import PitfallsError
from pitfalls.models.upload import uploaded


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenised text with the character range of each token."""

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
    """Tokenise `text`, with the special tokens that the tokenizer adds.

    Raises:
        PitfallsError: the tokenizer cannot give character offsets.
    """
    if not tokenizer.is_fast:
        raise PitfallsError(
            f"{type(tokenizer).__name__} gives no character offsets, which are needed to find "
            "positions: load the model with its fast tokenizer (tokenizer.json)"
        )
    encoded = tokenizer(text, return_offsets_mapping=True)
    return Tokens(tuple(encoded["input_ids"]), tuple(map(tuple, encoded["offset_mapping"])))


def tokenize_target(
    tokenizer: PreTrainedTokenizerBase, prompt: str, target: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Token ids of `prompt`, and of `target` after it and one space."""
    tokens = tokenize(tokenizer, f"{prompt} {target}")
    cut = tokens.first_beyond(len(prompt))
    return tokens.ids[:cut], tokens.ids[cut:]


@dataclass(frozen=True, slots=True)
class Split:
    """One row of a batch: a text split into a fixed left part and a right part of interest."""

    left: tuple[int, ...]
    """Tokens whose hidden states never change; may be empty."""
    right: tuple[int, ...]
    """Tokens from the split on, at least one."""


@dataclass(frozen=True, slots=True)
class SplitBatch:
    """Rows padded so that all splits are at the same column.

    Left parts are padded on the left, right parts on the right.
    """

    left: Int[Tensor, "rows left"]
    right: Int[Tensor, "rows right"]
    mask: Bool[Tensor, "rows left+right"]
    positions: Int[Tensor, "rows left+right"]

    @property
    def lengths(self) -> Int[Tensor, " rows"]:
        """Number of tokens in each right part, without padding."""
        return self.mask[:, self.left.shape[1] :].sum(1)


def refuse_too_long(splits: Sequence[Split], most: int | None, reader: str) -> None:
    """Refuse texts of more than `most` tokens; None is no bound.

    Raises:
        PitfallsError: a text is too long; the line names the reader.
    """
    longest = max(len(split.left) + len(split.right) for split in splits)
    if most is not None and longest > most:
        raise PitfallsError(
            f"a text of {longest} tokens: {reader} reads {most}; "
            "shorten the prompt, the context or the target"
        )


def batch_splits(splits: Sequence[Split], *, device: torch.device, n_left: int = 0) -> SplitBatch:
    """Pad `splits` into one batch; padding has id 0 and is masked.

    Args:
        splits: the rows.
        device: device of the tensors.
        n_left: least width of the left parts, to align them with an existing cache.
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
    return SplitBatch(*(uploaded(each, device) for each in (left, right, mask, positions)))

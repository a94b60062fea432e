"""Cutting work into batches that fit a token budget."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from pitfalls.errors import PitfallsError

T = TypeVar("T")
R = TypeVar("R")


def pack(sizes: Sequence[tuple[int, int]], budget: int) -> Iterator[list[int]]:
    """Indices of `sizes` in batches, longest first, each within `budget` padded tokens.

    Args:
        sizes: (rows, tokens in the longest row) of every item; an item is never split, so one that
            alone exceeds the budget gets a batch of its own.
        budget: the greatest rows x longest row of a batch.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i][1], i))
    batch: list[int] = []
    rows = 0
    for i in order:
        longest = sizes[batch[0]][1] if batch else sizes[i][1]
        if batch and (rows + sizes[i][0]) * longest > budget:
            yield batch
            batch, rows = [], 0
        batch.append(i)
        rows += sizes[i][0]
    if batch:
        yield batch


def run_split_on_oom(work: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
    """`work(items)`; where memory runs out, the two halves one after the other instead.

    Raises:
        PitfallsError: a single item does not fit.
    """
    try:
        return work(items)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(items) == 1:
            raise PitfallsError(
                "out of memory on a single item: use a smaller model, --dtype bfloat16 or a "
                "machine with more memory"
            ) from error
    half = len(items) // 2
    return run_split_on_oom(work, items[:half]) + run_split_on_oom(work, items[half:])


def _is_out_of_memory(error: BaseException) -> bool:
    """Torch's CPU allocator raises a plain RuntimeError that only its text tells apart."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)

"""Batching of work within a token budget and the available memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from pitfalls.errors import PitfallsError

START = 64
"""Fixed cost of a forward pass, such as reading the weights, in tokens: on a CPU in bfloat16, a
product with 64 rows takes two thirds as long as one with 128."""

T = TypeVar("T")
R = TypeVar("R")


def batches_within(sizes: Sequence[tuple[int, int]], budget: int) -> Iterator[list[int]]:
    """Indices of `sizes` in batches, longest first, each within `budget` padded tokens.

    Among all ways to cut the items, sorted by length, into batches, this one has the least cost:
    padded tokens plus `START` per batch.

    Args:
        sizes: (rows, tokens in the longest row) of every item. An item is never split: one that
            exceeds the budget gets a batch of its own.
        budget: largest rows × longest row of a batch.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i][1], i))
    least, begins = [0], [0]  # for the first n items: least cost, and start of the last batch
    for end in range(1, len(order) + 1):
        rows, options = 0, []
        for begin in range(end - 1, -1, -1):
            more, longest = sizes[order[begin]]
            rows += more
            if rows * longest > budget and begin < end - 1:
                break
            options.append((least[begin] + START + rows * longest, begin))
        cost, begin = min(options)
        least.append(cost)
        begins.append(begin)
    yield from reversed(list(_batches(order, begins)))


def _batches(order: Sequence[int], begins: Sequence[int]) -> Iterator[list[int]]:
    end = len(order)
    while end:
        yield list(order[begins[end] : end])
        end = begins[end]


def share_out(sizes: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of `sizes` in ⌈sum / budget⌉ or fewer groups of about equal sum.

    Items of similar size share a group; the largest come first.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    total = sum(sizes)
    groups: list[list[int]] = [[] for _ in range(max(1, -(-total // budget)))]
    before = 0
    for i in order:
        groups[before * len(groups) // total].append(i)
        before += sizes[i]
    return [group for group in groups if group]


def run_split_on_oom(work: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
    """Result of `work(items)`; if memory runs out, of the two halves one after the other.

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
    """Whether memory ran out; torch's CPU allocator raises a RuntimeError known by its text."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)

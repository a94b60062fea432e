"""Batches contain every item once, keep the budget, and are halved if memory runs out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.models.running.batching import START, batches_within, run_split_on_oom, share_out

sizes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 50)), max_size=30)
budgets = st.integers(1, 500)


def padded(batch: list[int], items: list[tuple[int, int]]) -> int:
    return sum(items[i][0] for i in batch) * max(items[i][1] for i in batch)


@given(items=sizes, budget=budgets)
def test_every_index_is_in_one_batch(items: list[tuple[int, int]], budget: int):
    assert sorted(i for batch in batches_within(items, budget) for i in batch) == list(
        range(len(items))
    )


@given(items=sizes, budget=budgets)
def test_the_budget_is_kept_unless_one_item_exceeds_it(items: list[tuple[int, int]], budget: int):
    for batch in batches_within(items, budget):
        assert batch
        assert padded(batch, items) <= budget or len(batch) == 1


@given(items=sizes, budget=budgets)
def test_longest_first_so_that_memory_runs_out_early_or_not_at_all(
    items: list[tuple[int, int]], budget: int
):
    lengths = [items[i][1] for batch in batches_within(items, budget) for i in batch]
    assert lengths == sorted(lengths, reverse=True)


def cost(batches: list[list[int]], items: list[tuple[int, int]]) -> int:
    return sum(START + padded(batch, items) for batch in batches)


def ways_to_cut(
    order: list[int], budget: int, items: list[tuple[int, int]]
) -> list[list[list[int]]]:
    """All ways to cut `order` into batches that keep the budget."""
    if not order:
        return [[]]
    return [
        [order[:n], *rest]
        for n in range(1, len(order) + 1)
        if n == 1 or padded(order[:n], items) <= budget
        for rest in ways_to_cut(order[n:], budget, items)
    ]


@given(items=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 50)), max_size=9), budget=budgets)
def test_no_other_way_to_cut_computes_less(items: list[tuple[int, int]], budget: int):
    batches = list(batches_within(items, budget))
    order = [i for batch in batches for i in batch]
    assert cost(batches, items) == min(
        cost(way, items) for way in ways_to_cut(order, budget, items)
    )


@given(lengths=st.lists(st.integers(1, 50), max_size=40), budget=budgets)
def test_groups_share_the_items_out(lengths: list[int], budget: int):
    groups = share_out(lengths, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    assert len(groups) <= max(1, -(-sum(lengths) // budget))
    for group in groups:
        fair = sum(lengths) / max(1, -(-sum(lengths) // budget))
        assert sum(lengths[i] for i in group) <= fair + max(lengths)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    MemoryError(),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate "
        "memory: you tried to allocate 99999999999 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9999 bytes."),
]


class Machine:
    """Takes up to `room` items at a time and fails with `error` beyond."""

    def __init__(self, room: int, error: BaseException) -> None:
        self.room, self.error = room, error
        self.done: list[int] = []

    def work(self, items: list[int]) -> list[int]:
        if len(items) > self.room:
            raise self.error
        self.done += items
        return [item * item for item in items]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
@given(count=st.integers(1, 20), room=st.integers(1, 20))
def test_too_large_a_batch_is_done_in_halves(error: BaseException, count: int, room: int):
    machine = Machine(room, error)
    items = list(range(count))
    assert run_split_on_oom(machine.work, items) == [item * item for item in items]
    assert machine.done == items


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_an_item_too_large_alone_is_told(error: BaseException):
    with pytest.raises(PitfallsError, match="out of memory on a single item: use") as told:
        run_split_on_oom(Machine(0, error).work, [1, 2, 3])
    assert told.value.__cause__ is error


def test_the_memory_of_this_machine_is_asked_for_in_vain():
    """The error text of torch's CPU allocator is recognised."""
    with pytest.raises(PitfallsError, match="out of memory"):
        run_split_on_oom(lambda items: [torch.empty(1 << 60)], [1])


@pytest.mark.parametrize(
    "error", [RuntimeError("shape '[2]' is invalid"), ValueError("no"), KeyboardInterrupt()]
)
def test_other_errors_pass_through_at_once(error: BaseException):
    machine = Machine(0, error)
    with pytest.raises(type(error)) as told:
        run_split_on_oom(machine.work, [1, 2])
    assert told.value is error
    assert machine.done == []


def test_a_real_out_of_memory_halves_a_batch_of_tensors():
    """The whole batch needs 2⁶⁰ numbers, its halves only a few."""

    def work(items: list[int]) -> list[int]:
        return [torch.zeros((1 << 60) if len(items) > 1 else 3).numel() + item for item in items]

    assert run_split_on_oom(work, [0, 10]) == [3, 13]

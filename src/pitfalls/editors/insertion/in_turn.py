"""Insertions of a job made one after the other, those of many jobs side by side."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.multi_label import Insertion
from pitfalls.updates.update import Update

Insert: TypeAlias = Callable[[Sequence[tuple[Insertion, Update]]], list[Update]]
"""Makes each insertion on top of the update beside it; they are independent of one another."""


def insert_in_turn(
    jobs: Sequence[Job], insertions: Sequence[Sequence[Insertion]], insert: Insert
) -> list[Update]:
    """One update per job: the sum of its insertions, each made on top of those before it.

    A job that fails has no changes, and none of its later insertions is tried.

    Args:
        jobs: with the updates they stand on.
        insertions: of each job, in order.
        insert: makes the first insertion of all jobs, then the second of those that have one, …
    """
    updates = [Update() for _ in jobs]
    for turn in range(max(map(len, insertions), default=0)):
        going = [
            i
            for i, wanted in enumerate(insertions)
            if turn < len(wanted) and not updates[i].failure
        ]
        if not going:
            break
        made = insert([(insertions[i][turn], jobs[i].base + updates[i]) for i in going])
        for i, update in zip(going, made, strict=True):
            updates[i] += update
    return [Update(history=u.history) if u.failure else u for u in updates]

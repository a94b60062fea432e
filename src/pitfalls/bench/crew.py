"""Dealing out chunks to workers; what a lost worker had in hand goes to another."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pitfalls.bench.chunks import Task
from pitfalls.bench.outfit import Answer, Bug, Mistake
from pitfalls.bench.workbench import Records
from pitfalls.errors import PitfallsError

LOSSES = 3
"""Workers that one chunk may cost before it is taken to be the cause."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone, and with it the chunk that it had in hand."""

    why: str


@runtime_checkable
class Crew(Protocol):
    """Some workers, each with a number from 0 and at most one chunk in hand."""

    size: int
    """How many workers there are."""

    def start(self, worker: int) -> None:
        """Start a worker, or another one in the place of one that was lost."""
        ...

    def give(self, worker: int, task: Task) -> None:
        """Send a chunk to a worker that has none."""
        ...

    def wait(self) -> tuple[int, Answer | Lost]:
        """The next answer of any worker, or that it is lost."""
        ...

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        ...


def deal_out(
    crew: Crew, tasks: Sequence[Task], note: Callable[[str], None]
) -> Iterator[tuple[Task, Records]]:
    """Every chunk with its records, in the order in which they are done.

    Args:
        crew: closed at the end.
        tasks: chunks that are missing.
        note: told of lost workers.

    Raises:
        PitfallsError: a worker found a mistake, or a chunk costs one worker after another.
        RuntimeError: a bug in a worker, with its traceback.
    """
    queue, in_hand, losses = _Queue(tasks), dict[int, Task](), Counter[Task]()
    try:
        for worker in range(min(crew.size, len(tasks))):
            crew.start(worker)
            crew.give(worker, in_hand.setdefault(worker, queue.next_for(worker)))
        while in_hand:
            worker, answer = crew.wait()
            task = in_hand.pop(worker)
            if isinstance(answer, Lost):
                losses[task] += 1
                _refuse_deadly(task, losses[task], answer)
                note(f"worker {worker + 1} was lost ({answer.why}): another one takes its chunk")
                queue.put_back(task)
                crew.start(worker)
            if queue:
                crew.give(worker, in_hand.setdefault(worker, queue.next_for(worker)))
            if not isinstance(answer, Lost):
                yield task, _records(answer)
    finally:
        crew.close()


def _records(answer: Answer) -> Records:
    if isinstance(answer, Mistake):
        raise PitfallsError(answer.told)
    if isinstance(answer, Bug):
        raise RuntimeError(f"a worker failed:\n{answer.traceback}")
    return answer


def _refuse_deadly(task: Task, losses: int, lost: Lost) -> None:
    if losses >= LOSSES:
        chunk = task.chunk
        raise PitfallsError(
            f"{losses} workers were lost over chunk {chunk.number} of {chunk.editor} ({lost.why}), "
            "which too little memory may do: take fewer --workers or a smaller chunk; what is "
            "written stays"
        )


class _Queue:
    """Chunks that nobody has in hand, in the order of the run."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._left = list(tasks)
        self._reader: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._left)

    def put_back(self, task: Task) -> None:
        self._left.insert(0, task)
        self._reader.pop(task.chunk.number, None)

    def next_for(self, worker: int) -> Task:
        """A chunk of the first editor with any, if possible one whose cases the worker has read.

        All editors share the readings of the unedited model; a worker takes each only once.
        """
        first = self._left[0].chunk.editor
        mine = [task for task in self._left if task.chunk.editor == first]
        task = min(mine, key=lambda each: self._strange(each, worker))
        self._left.remove(task)
        self._reader.setdefault(task.chunk.number, worker)
        return task

    def _strange(self, task: Task, worker: int) -> int:
        reader = self._reader.get(task.chunk.number)
        return 0 if reader == worker else 1 if reader is None else 2

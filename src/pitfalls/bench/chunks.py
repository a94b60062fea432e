"""Cutting an experiment into chunks: what is worked on together and written together.

Chunks are fixed by the experiment, not by when a run was cut, so a resumed run computes the same
batches, and so the same bits, as one that was never interrupted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pitfalls.bench.experiment import Experiment
from pitfalls.cases.audit import drop_degenerate
from pitfalls.cases.build import AT_ONCE, Knows
from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases
from pitfalls.cases.known import known_around
from pitfalls.editors.names import EditorName
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import part_name
from pitfalls.vocabulary import KIND_WORDS


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some cases of every data set under one editor: one batch of work, one part per data set."""

    number: int
    editor: EditorName
    cases: Mapping[str, tuple[Case, ...]]
    """Data set → its cases in this chunk, at least one."""

    @property
    def pairs(self) -> list[tuple[str, Case]]:
        """Data set and case, for every case."""
        return [(data, case) for data, listed in self.cases.items() for case in listed]

    @property
    def parts(self) -> dict[str, str]:
        """Data set → the part of the run directory that its records go to."""
        return {data: part_name(data, str(self.editor), self.number) for data in self.cases}


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A chunk, beside what it shares readings with."""

    chunk: Chunk
    beside: tuple[Chunk, ...]
    """The chunks of the same cases under all editors, itself among them."""


def load_all(experiment: Experiment, *, knows: Knows | None = None) -> dict[str, list[Case]]:
    """Data set → its cases, as many as the experiment asks for.

    Args:
        experiment: which data sets, and what to leave out.
        knows: keeps the cases that it says yes to; None keeps all.

    Raises:
        PitfallsError: a data set that is not there, or that has no case fit to be measured.
    """
    cases = {data: _load(data, experiment, knows) for data in experiment.data}
    for data, listed in cases.items():
        if not listed:
            why = "can be measured" if knows is None else "rests on a fact that the model knows"
            raise PitfallsError(f"{data} holds no case that {why}: give other --data")
    return cases


def _load(data: str, experiment: Experiment, knows: Knows | None) -> list[Case]:
    chosen = experiment.skip_degenerate or knows is not None
    listed = load_cases(data, None if chosen else experiment.cases)
    if experiment.skip_degenerate:
        listed, _ = drop_degenerate(listed, known=known_around(data))
    return listed[: experiment.cases] if knows is None else _known(listed, knows, experiment.cases)


def _known(listed: Sequence[Case], knows: Knows, count: int | None) -> list[Case]:
    """The first so many that the model knows; always judged in the same batches."""
    found: list[Case] = []
    for start in range(0, len(listed), AT_ONCE):
        block = listed[start : start + AT_ONCE]
        found += [case for case, known in zip(block, knows(block), strict=True) if known]
        if count is not None and len(found) >= count:
            break
    return found[:count]


def cut(
    cases: Mapping[str, Sequence[Case]], editors: Sequence[EditorName], *, size: int
) -> Iterator[list[Chunk]]:
    """Chunks of about `size` cases drawn evenly from all data sets, one for each editor.

    Raises:
        PitfallsError: an editor that applies to none of the data sets.
    """
    for editor in editors:
        if not any(_applies(editor, listed) for listed in cases.values()):
            raise PitfallsError(
                f"{editor} differs from {editor.base} on round trips only: add --data round/easy "
                f"or round/hard, or use {editor.base}"
            )
    for number, part in enumerate(slices({data: len(c) for data, c in cases.items()}, size)):
        some = {data: tuple(cases[data][at] for at in places) for data, places in part.items()}
        yield [
            Chunk(number, editor, {d: c for d, c in some.items() if _applies(editor, c)})
            for editor in editors
            if any(_applies(editor, c) for c in some.values())
        ]


def slices(counts: Mapping[str, int], size: int) -> list[dict[str, range]]:
    """For every chunk: data set → positions of its cases, for those with any.

    Args:
        counts: data set → how many cases it has.
        size: cases in a chunk, at least one of each data set.
    """
    step = max(1, size // len(counts))
    every = [
        {data: range(start, min(start + step, count)) for data, count in counts.items()}
        for start in range(0, max(counts.values()), step)
    ]
    return [{data: places for data, places in part.items() if places} for part in every]


def tasks_of(
    cases: Mapping[str, Sequence[Case]], editors: Sequence[EditorName], *, size: int
) -> list[Task]:
    """Every chunk of a run in the order of the run, editor after editor.

    Raises:
        PitfallsError: as `cut`.
    """
    found = [
        Task(each, tuple(beside)) for beside in cut(cases, editors, size=size) for each in beside
    ]
    return sorted(found, key=lambda task: editors.index(task.chunk.editor))


def _applies(editor: EditorName, cases: Sequence[Case]) -> bool:
    return not editor.multi_label or KIND_WORDS[cases[0].kind].several

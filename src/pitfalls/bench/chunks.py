"""Cutting an experiment into chunks: what is worked on together and written together.

Chunks are fixed by the experiment, not by when a run was cut, so a resumed run computes the same
batches, and so the same bits, as one that was never interrupted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pitfalls.bench.experiment import Experiment
from pitfalls.cases.audit import drop_degenerate, known_facts
from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases
from pitfalls.editors.table import EditorName
from pitfalls.errors import PitfallsError
from pitfalls.records.store import part_name
from pitfalls.vocabulary import ROUND_KINDS


@dataclass(frozen=True, slots=True)
class Chunk:
    """Cases of one data set, and the editors that apply to them."""

    data: str
    number: int
    cases: tuple[Case, ...]
    editors: tuple[EditorName, ...]

    def part(self, editor: EditorName) -> str:
        """The part of the run directory that `editor`'s records of this chunk go to."""
        return part_name(self.data, str(editor), self.number)


def load_all(experiment: Experiment) -> dict[str, list[Case]]:
    """Data set → its cases, as many as the experiment asks for.

    Raises:
        PitfallsError: a data set that is not there, or that has no case fit to be measured.
    """
    cases = {data: _load(data, experiment) for data in experiment.data}
    for data, listed in cases.items():
        if not listed:
            raise PitfallsError(f"{data} holds no case that can be measured: give other --data")
    return cases


def _load(data: str, experiment: Experiment) -> list[Case]:
    if not experiment.skip_degenerate:
        return load_cases(data, experiment.cases)
    listed = load_cases(data)
    kept, _ = drop_degenerate(listed, known=known_facts(listed))
    return kept[: experiment.cases]


def cut(
    cases: Mapping[str, Sequence[Case]], editors: Sequence[EditorName], *, size: int
) -> Iterator[Chunk]:
    """Chunks of at most `size` cases, data set by data set.

    Raises:
        PitfallsError: an editor that applies to none of the data sets.
    """
    for editor in editors:
        if not any(_applies(editor, listed) for listed in cases.values()):
            raise PitfallsError(
                f"{editor} differs from {editor.base} on round trips only: add --data round/easy "
                f"or round/hard, or use {editor.base}"
            )
    for data, listed in cases.items():
        used = tuple(editor for editor in editors if _applies(editor, listed))
        for begin in range(0, len(listed), size):
            yield Chunk(data, begin // size, tuple(listed[begin : begin + size]), used)


def _applies(editor: EditorName, cases: Sequence[Case]) -> bool:
    return not editor.multi_label or cases[0].kind in ROUND_KINDS

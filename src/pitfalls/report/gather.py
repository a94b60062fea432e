"""Everything a report is made from: the runs, how complete they are, what cannot be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.records.header import RunHeader
from pitfalls.records.observation import RELATIVE_NOISE, Observation, observe_table
from pitfalls.records.run_directory import RunDirectory
from pitfalls.vocabulary import DATASETS, KIND_WORDS


@dataclass(frozen=True, slots=True)
class Losses:
    """How one editor's objective went down in one state, over all cases."""

    model: str
    editor: str
    state: str
    steps: tuple[tuple[float, float, float], ...]
    """[step]: the 10th, 50th and 90th percentile over the fits that went on so far."""


@dataclass(frozen=True, slots=True)
class RunState:
    """One run and what it holds so far."""

    name: str
    header: RunHeader
    done: int
    """Cases under editors that are recorded."""
    planned: int
    notes: tuple[str, ...]
    """Notes for the reader: damaged parts, cases that are missing."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Runs, read."""

    runs: tuple[RunState, ...]
    observations: tuple[Observation, ...]
    losses: tuple[Losses, ...]


def gather(paths: Sequence[Path]) -> Gathered:
    """Reads every run; a damaged part is told and passed over, the rest of the run still counts.

    Raises:
        PitfallsError: no run in a directory, another schema version, an unknown dtype.
    """
    if not paths:
        raise PitfallsError("nothing to report: give run directories")
    runs, observations, losses = [], [], []
    for path in dict.fromkeys(paths):
        directory = RunDirectory.read(path)
        damaged: list[PitfallsError] = []
        tables = list(directory.tables(leave_out=damaged.append))
        cases = [case for table in tables for case in _observed(directory, table)]
        observations += cases
        losses += list(_losses(directory.header.model.name, tables))
        runs.append(_state(directory, cases, damaged))
    return Gathered(tuple(runs), tuple(observations), tuple(losses))


def _observed(directory: RunDirectory, table: pa.Table) -> Iterator[Observation]:
    info = directory.header.model
    if info.dtype not in RELATIVE_NOISE:
        raise UnknownNameError("dtype", info.dtype, RELATIVE_NOISE)
    return observe_table(
        table, run=str(directory.path), model=info.name, noise=RELATIVE_NOISE[info.dtype]
    )


def _state(
    directory: RunDirectory, cases: Sequence[Observation], damaged: Sequence[PitfallsError]
) -> RunState:
    planned, done = _planned(directory.header), len(cases)
    notes = [f"Left out: {error}" for error in damaged]
    if not cases:
        notes.insert(0, "No records yet: let `pitfalls run` finish a chunk first.")
    elif done < planned:
        notes.insert(
            0,
            f"In progress, or stopped: {done:,} of {planned:,} cases under editors are recorded. "
            "Editors and data sets may not have the same cases yet.",
        )
    return RunState(str(directory.path), directory.header, done, planned, tuple(notes))


def _planned(header: RunHeader) -> int:
    """Cases under editors; a Multi-Label Edit has round trips only."""
    return sum(
        info.cases
        for data, info in header.data.items()
        for editor in header.editors
        if not editor.endswith("+mle") or _is_of_several(data)
    )


def _is_of_several(data: str) -> bool:
    name = next((name for name in DATASETS if data.endswith(name)), None)
    return name is None or KIND_WORDS[DATASETS[name]].several


def _losses(model: str, tables: Sequence[pa.Table]) -> Iterator[Losses]:
    curves: dict[tuple[str, str], list[list[float]]] = {}
    for table in tables:
        editors = table["editor"].to_pylist()
        for editor, fits in zip(editors, table["fits"].to_pylist(), strict=True):
            for fit in fits:
                if fit["losses"]:
                    curves.setdefault((editor, fit["state"]), []).append(fit["losses"])
    for (editor, state), found in curves.items():
        yield Losses(model, editor, state, tuple(_percentiles(found)))


def _percentiles(curves: Sequence[Sequence[float]]) -> Iterator[tuple[float, float, float]]:
    for step in range(max(map(len, curves))):
        values = [curve[step] for curve in curves if len(curve) > step]
        low, middle, high = np.percentile(values, [10, 50, 90]).tolist()
        yield low, middle, high

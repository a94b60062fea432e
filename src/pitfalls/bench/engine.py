"""Carrying out an experiment: editor after editor, chunk after chunk, each written once done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pitfalls.bench.as_taken import as_taken
from pitfalls.bench.check import checked_cases
from pitfalls.bench.chunks import Chunk, Task, load_all, tasks_of
from pitfalls.bench.crew import deal_out
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.header import make_header, moment_infos
from pitfalls.bench.hiring import Hiring
from pitfalls.bench.knowing import first_facts_known_by
from pitfalls.bench.outfit import outfit_of
from pitfalls.bench.shard import WHOLE, Shard
from pitfalls.bench.workbench import Records, Workbench, editors_of, load_model
from pitfalls.cases.case import Case
from pitfalls.editors.editor import Editor
from pitfalls.editors.names import EditorName, editors_named
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.run_directory import RunDirectory

Measured: TypeAlias = Callable[[RunDirectory, int], None]
"""Told when an editor has been measured on all its cases, and how many editors are left."""


def run(
    experiment: Experiment,
    out: Path | str,
    *,
    shard: Shard = WHOLE,
    workers: Hiring | None = None,
    progress: Progress = SILENT,
    measured: Measured = lambda directory, left: None,
) -> RunDirectory:
    """Measure what `experiment` asks for, or what is left of it, into the directory `out`.

    Killed at any moment it loses at most the chunks in flight; called again it goes on. Any number
    of processes may measure one experiment into one directory at a time.

    Args:
        experiment: models, editors, cases and settings.
        out: the run directory.
        shard: the share of the chunks to measure.
        workers: who measures them; None for this process, alone.
        progress: told of the stages.
        measured: called whenever an editor is done, as far as the share goes, unless an earlier
            call had done all of it.

    Raises:
        PitfallsError: wrong names, files or settings, all of them found before the first edit, or
            a directory that cannot be written. What was written before stays.
    """
    ready = _prepared(experiment, Path(out), shard, progress)
    if workers is None:
        return _alone(ready, progress, measured)
    return _together(ready, workers, progress, measured)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A run that can begin."""

    experiment: Experiment
    directory: RunDirectory
    bench: Workbench
    editors: Mapping[EditorName, Editor]
    tasks: Sequence[Task]
    """The share of this run, in order."""

    def noted(self, name: EditorName, directory: RunDirectory, progress: Progress) -> RunDirectory:
        """The directory, once it knows the second moments that the editor will use."""
        estimates = self.editors[name].estimates(self.bench.model, progress=progress)
        return directory.with_moments(str(name), moment_infos(estimates))


def _prepared(experiment: Experiment, out: Path, shard: Shard, progress: Progress) -> _Ready:
    cases = checked_cases(experiment)
    RunDirectory.check(out)
    model = load_model(experiment, progress=progress)
    experiment = as_taken(experiment, model)
    if experiment.known:
        cases = _known_cases(experiment, model, progress)
    names = editors_named(experiment.editors, model)
    experiment = experiment.model_copy(update={"editors": tuple(map(str, names))})
    tasks = tasks_of(cases, names, size=experiment.chunk)
    editors = editors_of(experiment, names, model)
    directory = RunDirectory.open(out, make_header(experiment, model, editors, cases))
    return _Ready(experiment, directory, Workbench(model, editors), editors, shard.share(tasks))


def _known_cases(
    experiment: Experiment, model: LanguageModel, progress: Progress
) -> dict[str, list[Case]]:
    with progress.stage("cases judged for what the model knows", unit="cases") as advance:
        return load_all(experiment, knows=first_facts_known_by(model, advance))


def _alone(ready: _Ready, progress: Progress, measured: Measured) -> RunDirectory:
    """Carry out the chunks in this process, editor after editor."""
    directory, count = ready.directory, len(ready.editors)
    for position, name in enumerate(ready.editors, start=1):
        work = [task for task in ready.tasks if task.chunk.editor == name]
        if not work:
            continue
        fresh = any(_missing(directory, task.chunk) for task in work)
        if fresh:
            directory = ready.noted(name, directory, progress)
        stage, total = f"{name}, editor {position} of {count}", _n_cases(work)
        with progress.stage(stage, total=total, unit="cases") as advance:
            for task in work:
                if _missing(directory, task.chunk):  # another process may have been faster
                    _write(directory, task, ready.bench.carry_out(task, progress=progress))
                advance(len(task.chunk.pairs))
        if fresh:
            measured(directory, count - position)
    return directory


def _together(
    ready: _Ready, workers: Hiring, progress: Progress, measured: Measured
) -> RunDirectory:
    """Deal the chunks out to workers, and write down what they answer."""
    directory = ready.directory
    todo = [task for task in ready.tasks if _missing(directory, task.chunk)]
    if not todo:
        return directory
    for name in dict.fromkeys(task.chunk.editor for task in todo):
        directory = ready.noted(name, directory, progress)
    ready.bench.release()
    crew = workers(outfit_of(ready.experiment, directory.header))
    left = {name: [task for task in todo if task.chunk.editor == name] for name in ready.editors}
    total, size = _n_cases(ready.tasks), min(crew.size, len(todo))
    with progress.stage(f"{size} workers", total=total, unit="cases") as advance:
        advance(total - _n_cases(todo))
        for task, records in deal_out(crew, todo, progress.note):
            _write(directory, task, records)
            advance(len(task.chunk.pairs))
            (mine := left[task.chunk.editor]).remove(task)
            if not mine:
                measured(directory, sum(map(bool, left.values())))
    return directory


def _missing(directory: RunDirectory, chunk: Chunk) -> tuple[str, ...]:
    """The data sets whose part of the chunk is not written yet."""
    return tuple(data for data, part in chunk.parts.items() if not directory.has(part))


def _write(directory: RunDirectory, task: Task, records: Records) -> None:
    for data in _missing(directory, task.chunk):
        directory.write(task.chunk.parts[data], records[data])


def _n_cases(tasks: Sequence[Task]) -> int:
    return sum(len(task.chunk.pairs) for task in tasks)

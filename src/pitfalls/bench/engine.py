"""Carrying out an experiment: editor after editor, chunk after chunk, each written once done."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from pitfalls.bench.as_taken import as_taken
from pitfalls.bench.carry_out import Unedited, carry_out
from pitfalls.bench.check import checked_cases
from pitfalls.bench.chunks import Chunk, cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.header import make_header, moment_infos
from pitfalls.bench.knowing import first_facts_known_by
from pitfalls.cases.case import Case
from pitfalls.editors.editor import Editor
from pitfalls.editors.names import editors_named
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.run_directory import RunDirectory

Measured: TypeAlias = Callable[[RunDirectory, int], None]
"""Told when an editor has been measured on all its cases, and how many editors are left."""


def run(
    experiment: Experiment,
    out: Path | str,
    *,
    progress: Progress = SILENT,
    measured: Measured = lambda directory, left: None,
) -> RunDirectory:
    """Measure what `experiment` asks for, or what is left of it, into the directory `out`.

    Killed at any moment it loses at most the chunk in flight; called again it goes on.

    Args:
        experiment: models, editors, cases and settings.
        out: the run directory.
        progress: told of the stages.
        measured: called whenever an editor is done, unless an earlier call had done all of it.

    Raises:
        PitfallsError: wrong names, files or settings, all of them found before the first edit, or
            a directory that cannot be written. What was written before stays.
    """
    cases = checked_cases(experiment)
    RunDirectory.check(Path(out))
    experiment, model = _loaded(experiment, progress)
    if experiment.known:
        cases = _known_cases(experiment, model, progress)
    names = editors_named(experiment.editors, model)
    experiment = experiment.model_copy(update={"editors": tuple(map(str, names))})
    chunks = list(cut(cases, names, size=experiment.chunk))
    editors = {
        name: name.editor(model, experiment.settings.get(name.base), seed=experiment.seed)
        for name in names
    }
    directory = RunDirectory.open(Path(out), make_header(experiment, model, editors, cases))
    queue = _queue(model, chunks)
    for position, (name, editor) in enumerate(editors.items(), start=1):
        work = [
            (chunk, _missing(directory, chunk), unedited)
            for chunk, unedited in queue
            if chunk.editor == name
        ]
        fresh = any(missing for _, missing, _ in work)
        if fresh:
            estimates = editor.estimates(model, progress=progress)
            directory = directory.with_moments(str(name), moment_infos(estimates))
        stage = f"{name}, editor {position} of {len(editors)}"
        _work_off(directory, editor, work, stage=stage, progress=progress)
        if fresh:
            measured(directory, len(editors) - position)
    return directory


def _loaded(experiment: Experiment, progress: Progress) -> tuple[Experiment, LanguageModel]:
    """The experiment as the machine takes it, and its model."""
    model = LanguageModel.load(
        experiment.model,
        dtype=experiment.dtype,
        device=experiment.device,
        prefix=experiment.prefix,
        progress=progress,
    )
    return as_taken(experiment, model), model


def _queue(model: LanguageModel, chunks: Sequence[Sequence[Chunk]]) -> list[tuple[Chunk, Unedited]]:
    """Every chunk, beside what all chunks of its cases share."""
    return [
        (chunk, unedited)
        for side_by_side in chunks
        for unedited in [Unedited(model, side_by_side)]
        for chunk in side_by_side
    ]


def _known_cases(
    experiment: Experiment, model: LanguageModel, progress: Progress
) -> dict[str, list[Case]]:
    with progress.stage("cases judged for what the model knows", unit="cases") as advance:
        return load_all(experiment, knows=first_facts_known_by(model, advance))


def _missing(directory: RunDirectory, chunk: Chunk) -> tuple[str, ...]:
    """The data sets whose part of the chunk is not written yet."""
    return tuple(data for data, part in chunk.parts.items() if not directory.has(part))


def _work_off(
    directory: RunDirectory,
    editor: Editor,
    work: Sequence[tuple[Chunk, tuple[str, ...], Unedited]],
    *,
    stage: str,
    progress: Progress,
) -> None:
    """Carry out what is missing of every chunk of one editor, and write it down."""
    total = sum(len(chunk.pairs) for chunk, _, _ in work)
    with progress.stage(stage, total=total, unit="cases") as advance:
        for chunk, missing, unedited in work:
            if missing:
                records = carry_out(unedited.model, editor, chunk, unedited, progress=progress)
                for data in missing:
                    directory.write(chunk.parts[data], records[data])
            advance(len(chunk.pairs))

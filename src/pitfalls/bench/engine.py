"""Carrying out an experiment: editor after editor, chunk after chunk, each written once done."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pitfalls.bench.carry_out import Unedited, carry_out
from pitfalls.bench.chunks import Chunk, cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.header import make_header, moment_infos
from pitfalls.bench.knowing import first_facts_known_by
from pitfalls.editors.editor import Editor
from pitfalls.editors.table import EDITORS, EditorName, editor_for, editors_named
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.store import RunDirectory

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
    _refuse_unknown(experiment)
    cases = load_all(experiment)
    model = LanguageModel.load(
        experiment.model,
        dtype=experiment.dtype,
        device=experiment.device,
        prefix=experiment.prefix,
        progress=progress,
    )
    if experiment.known:
        with progress.stage("cases judged for what the model knows", unit="cases") as advance:
            cases = load_all(experiment, knows=first_facts_known_by(model, advance))
    names = editors_named(experiment.editors, model)
    experiment = experiment.model_copy(update={"editors": tuple(map(str, names))})
    chunks = list(cut(cases, names, size=experiment.chunk))
    editors = {
        name: editor_for(name.base, model, experiment.settings.get(name.base), seed=experiment.seed)
        for name in names
    }
    directory = RunDirectory.open(Path(out), make_header(experiment, model, editors, cases))
    before = [Unedited(model, side_by_side) for side_by_side in chunks]
    for position, (name, editor) in enumerate(editors.items(), start=1):
        mine = [
            (chunk, unedited)
            for side_by_side, unedited in zip(chunks, before, strict=True)
            for chunk in side_by_side
            if chunk.editor == name
        ]
        parts = [part for chunk, _ in mine for part in chunk.parts.values()]
        if not all(map(directory.has, parts)):
            estimates = editor.estimates(model, progress=progress)
            directory = directory.with_moments(str(name), moment_infos(estimates))
        total = sum(len(chunk.pairs) for chunk, _ in mine)
        stage = f"{name}, editor {position} of {len(editors)}"
        with progress.stage(stage, total=total, unit="cases") as advance:
            fresh = 0
            for chunk, unedited in mine:
                fresh += _complete(directory, chunk, editor, unedited, progress=progress)
                advance(len(chunk.pairs))
        if fresh:
            measured(directory, len(editors) - position)
    return directory


def _refuse_unknown(experiment: Experiment) -> None:
    for name in experiment.editors or ():
        EditorName.parse(name)
    for name in experiment.settings:
        if name not in EDITORS:
            raise UnknownNameError("editor in settings", name, EDITORS)


def _complete(
    directory: RunDirectory,
    chunk: Chunk,
    editor: Editor,
    unedited: Unedited,
    *,
    progress: Progress,
) -> int:
    """Write those parts of a chunk that are not there yet; how many they were."""
    missing = [data for data, part in chunk.parts.items() if not directory.has(part)]
    if missing:
        records = carry_out(unedited.model, editor, chunk, unedited, progress=progress)
        for data in missing:
            directory.write(chunk.parts[data], records[data])
    return len(missing)

"""Carrying out an experiment: chunk after chunk, each written once it is done."""

from pathlib import Path

from pitfalls.bench.carry_out import Unedited, carry_out
from pitfalls.bench.chunks import cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.header import make_header
from pitfalls.bench.knowing import first_facts_known_by
from pitfalls.editors.table import EDITORS, EditorName, editor_for, editors_named
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.store import RunDirectory


def run(experiment: Experiment, out: Path | str, *, progress: Progress = SILENT) -> RunDirectory:
    """Measure what `experiment` asks for, or what is left of it, into the directory `out`.

    Killed at any moment it loses at most the chunk in flight; called again it goes on.

    Raises:
        PitfallsError: wrong names, files or settings, all of them found before the first edit, or
            a directory that cannot be written. What was written before stays.
    """
    for name in experiment.editors or ():
        EditorName.parse(name)
    for name in experiment.settings:
        if name not in EDITORS:
            raise UnknownNameError("editor in settings", name, EDITORS)
    cases = load_all(experiment)
    model = LanguageModel.load(
        experiment.model, dtype=experiment.dtype, device=experiment.device, progress=progress
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
    total = sum(len(chunk.pairs) for side_by_side in chunks for chunk in side_by_side)
    with progress.stage("cases under editors", total=total, unit="cases") as advance:
        for side_by_side in chunks:
            unedited = Unedited(model, side_by_side)
            for chunk in side_by_side:
                missing = [d for d, part in chunk.parts.items() if not directory.has(part)]
                if missing:
                    records = carry_out(
                        model, editors[chunk.editor], chunk, unedited, progress=progress
                    )
                    for data in missing:
                        directory.write(chunk.parts[data], records[data])
                advance(len(chunk.pairs))
    return directory

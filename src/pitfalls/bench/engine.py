"""Carrying out an experiment: chunk after chunk, each written once it is done."""

from pathlib import Path

from pitfalls.bench.carry_out import carry_out, read_unedited
from pitfalls.bench.chunks import cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.header import make_header
from pitfalls.editors.table import EditorName, editor_for
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
    names = [EditorName.parse(name) for name in experiment.editors]
    cases = load_all(experiment)
    chunks = list(cut(cases, names, size=experiment.chunk))
    model = LanguageModel.load(
        experiment.model, dtype=experiment.dtype, device=experiment.device, progress=progress
    )
    editors = {
        name: editor_for(name.base, model, experiment.settings.get(name.base), seed=experiment.seed)
        for name in names
    }
    directory = RunDirectory.open(Path(out), make_header(experiment, model, editors, cases))
    total = sum(len(chunk.cases) * len(chunk.editors) for chunk in chunks)
    with progress.stage("cases under editors", total=total, unit="cases") as advance:
        for chunk in chunks:
            missing = [name for name in chunk.editors if not directory.has(chunk.part(name))]
            advance(len(chunk.cases) * (len(chunk.editors) - len(missing)))
            unedited = read_unedited(model, chunk) if missing else []
            for name in missing:
                records = carry_out(model, editors[name], name, chunk, unedited, progress=progress)
                directory.write(chunk.part(name), records)
                advance(len(chunk.cases))
    return directory

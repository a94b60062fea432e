"""An editor and a modifier go from a row in their tables to a score, as CONTRIBUTING says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.forecast import forecast
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.modified import ModifiedEditor
from pitfalls.editors.modifiers import MODIFIERS, Modifier
from pitfalls.editors.names import EditorName
from pitfalls.editors.table import EDITORS
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.scores import score
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.progress import SILENT, Progress
from pitfalls.records.observation import observe_run
from pitfalls.settings import Index, Positive
from pitfalls.testing import EDITS, check_editor, tiny_model
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


@dataclass(frozen=True, kw_only=True)
class Nudge(Editor):
    """Two settings and one verb: moves one matrix as FT would, a given multiple of the way."""

    layer: Index = 1
    """Layer that is moved."""
    far: Positive = 1.0
    """Multiple."""

    def check(self, model: LanguageModel) -> None:
        model.mlp_out_name(self.layer)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        tuned = FineTune(layer=self.layer, steps=5, lr=5e-3).fit(model, jobs, progress=progress)
        return [self._moved(model, job, each) for job, each in zip(jobs, tuned, strict=True)]

    def _moved(self, model: LanguageModel, job: Job, update: Update) -> Update:
        if not job.edits:
            return Update()
        origin = Provenance.of(
            self, job.edits, model, losses=(0.0,), seconds=0.0, failure=update.failure
        )
        return Update.fitted(scaled(update, self.far).changes, origin)


@dataclass(frozen=True, kw_only=True)
class Halved(ModifiedEditor):
    """Half of every update of the inner editor."""

    def modify(self, model: LanguageModel, job: Job, update: Update) -> Update:
        return scaled(update, 0.5)


def scaled(update: Update, factor: float) -> Update:
    changes = {n: Dense(factor * matrix_of(change)) for n, change in update.changes.items()}
    return replace(update, changes=changes)


def matrix_of(change: Any) -> torch.Tensor:
    assert change.matrix is not None
    matrix: torch.Tensor = change.matrix
    return matrix


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in the tables, and nothing else."""
    monkeypatch.setitem(EDITORS, "nudge", Nudge)
    monkeypatch.setitem(MODIFIERS, "half", Modifier(wrapper=Halved))


@pytest.fixture
def experiment(tiny_folder: Path) -> Experiment:
    return Experiment(
        model=str(tiny_folder),
        editors=("nudge", "nudge+half", "nudge+half+mle"),
        data=("conflict/coverage", "round/easy"),
        cases=2,
        settings={"nudge": {"layer": 2}},
    )


def test_both_keep_the_laws() -> None:
    check_editor(Nudge(layer=2), tiny_model("llama"))
    check_editor(Halved(inner=Nudge(layer=2)), tiny_model("llama"))


def test_a_modifier_changes_the_updates() -> None:
    model, jobs = tiny_model("llama"), [Job(EDITS[:1]), Job(())]
    whole, half = (
        EditorName.parse(name).editor(model, {"layer": 2}).fit(model, jobs)
        for name in ("nudge", "nudge+half")
    )
    assert half[1] == Update()
    for name, norm in whole[0].norms.items():
        assert half[0].norms[name] == pytest.approx(norm / 2)


def test_they_are_run_and_scored(experiment: Experiment, tmp_path: Path) -> None:
    directory = run(experiment, tmp_path / "run")
    scores = score(observe_run(directory))
    kinds = {(one.editor, one.kind) for one in scores}
    assert {("nudge", "coverage"), ("nudge+half", "coverage"), ("nudge", "round-easy")} <= kinds
    assert ("nudge+half+mle", "round-easy") in kinds
    assert ("nudge+half+mle", "coverage") not in kinds, "one object is the same with and without"
    told = directory.header.editors
    assert told["nudge"]["layer"] == told["nudge+half"]["inner"]["layer"] == 2
    assert told["nudge+half"]["method"] == "Halved"


def test_they_are_in_the_forecast(experiment: Experiment) -> None:
    assert {line.editor for line in forecast(experiment).lines} >= set(experiment.editors or ())


def test_settings_and_names_are_checked(tiny_folder: Path) -> None:
    model = tiny_model("llama")
    with pytest.raises(UnknownNameError, match="did you mean 'far'"):
        EditorName.parse("nudge").editor(model, {"fat": 1.0})
    with pytest.raises(PitfallsError, match=r"nudge\.far: got -1"):
        EditorName.parse("nudge").editor(model, {"far": -1.0})
    with pytest.raises(UnknownNameError, match=r"did you mean 'nudge\+half'"):
        EditorName.parse("nudge+hlaf")

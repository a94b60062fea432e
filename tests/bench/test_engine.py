"""A run gives each case what it gets alone, names what goes wrong, and tells how far it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_runs import CASES, by_case, close

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.collections import load_cases
from pitfalls.editors.editor import Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.models.weights.quantised import PACKINGS
from pitfalls.progress import SILENT, Advance, Progress, SilentProgress
from pitfalls.records.observation import RELATIVE_NOISE, observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.updates.update import Update
from pitfalls.vocabulary import DATASETS, ROUND_KINDS


def test_chunks_of_another_size_give_the_same_numbers(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    other = by_case(run(experiment.model_copy(update={"chunk": 1000}), tmp_path / "run"))
    found = by_case(whole)
    assert other.keys() == found.keys()
    for key, record in found.items():
        close(record, other[key])


def test_one_data_set_and_one_editor_give_the_same_numbers(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    found = by_case(whole)
    alone = experiment.model_copy(update={"data": ("round/hard",), "editors": ("rome+mle",)})
    records = by_case(run(alone, tmp_path / "run"))
    assert len(records) == CASES
    for key, record in records.items():
        close(record, found[key])


def test_an_editor_named_twice_runs_once(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    twice = experiment.model_copy(update={"editors": ("ft", "ft"), "cases": 1})
    assert len(by_case(run(twice, tmp_path / "run"))) == len(DATASETS)


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_method_that_diverges_is_recorded_and_the_others_go_on(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    settings = {**experiment.settings, "ft": {"layer": 2, "steps": 3, "lr": 1e38}}
    found = by_case(whole)
    for key, record in by_case(
        run(experiment.model_copy(update={"settings": settings}), tmp_path / "run")
    ).items():
        if record.editor == "ft":
            assert record.failure is not None
            assert record.failure.startswith("theta_m: ")
            assert {reading.state for reading in record.readings} == {"theta0"}
        else:
            close(record, found[key])


def test_a_case_that_diverges_is_recorded_and_the_others_go_on(
    experiment: Experiment,
    whole: RunDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    unlucky = load_cases("conflict/composite", CASES)[1]
    plain = FineTune.fit

    def breaking(
        self: FineTune, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """NaN weights under every edit that the unlucky case begins with."""
        weight = f"{model.mlp_out_name(0)}.weight"
        broken = Update({weight: Dense(torch.full_like(model.weight(weight), torch.nan))})
        jobs = [Job(j.edits, broken if j.edits == (unlucky.first,) else j.base) for j in jobs]
        return plain(self, model, jobs, progress=progress)

    monkeypatch.setattr(FineTune, "fit", breaking)
    records = by_case(run(experiment.model_copy(update={"editors": ("ft",)}), tmp_path / "run"))
    found = by_case(whole)
    failed = [record for record in records.values() if record.failure]
    assert [record.case_id for record in failed] == [unlucky.id]
    (record,) = failed
    assert record.failure is not None
    assert record.failure.startswith("theta_m: the fine-tuning loss is nan at step 1")
    states = {reading.state for reading in record.readings}
    assert states == {"theta0", "theta2"}, "what does not build on the failure is read"
    for key, other in records.items():
        if other.failure is None:
            close(other, found[key])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "editor": ({"editors": ("roem",)}, "unknown editor 'roem'"),
    "data": ({"data": ("conflict/revers",)}, "conflict/revers"),
    "setting": ({"settings": {"rome": {"laier": 1}}}, "did you mean 'layer'"),
    "editor in settings": ({"settings": {"rmoe": {}}}, "did you mean 'rome'"),
    "layer": ({"settings": {"ft": {"layer": 99}}}, "layer 99 does not exist"),
    "dtype": ({"dtype": "int7"}, "did you mean 'int8'"),
    "model": ({"model": "no-such-model"}, "no-such-model"),
    "mle on conflicts": (
        {"editors": ("rome+mle",), "data": ("conflict/reverse", "conflict/coverage")},
        "differs from rome on round trips only",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_told_before_anything_is_written(
    experiment: Experiment, tmp_path: Path, what: str
):
    changes, told = WRONG[what]
    with pytest.raises(PitfallsError, match=told) as error:
        run(experiment.model_copy(update=changes), tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dtype", PACKINGS)
def test_a_model_in_few_bits_is_measured(experiment: Experiment, tmp_path: Path, dtype: str):
    changes = {"dtype": dtype, "editors": ("ft", "rome"), "cases": 1}
    directory = run(experiment.model_copy(update=changes), tmp_path / "run")
    records = by_case(directory).values()
    assert records and not any(record.failure for record in records)
    assert {one.source.noise for one in observe_run(directory)} == {RELATIVE_NOISE["bfloat16"]}


@dataclass
class Counting(SilentProgress):
    """Notes every stage's total and how far it came."""

    totals: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:
        self.totals[name], self.done[name] = total or 0, 0.0

        def advance(amount: float) -> None:
            self.done[name] += amount

        yield advance


def test_progress_of_every_editor_ends_at_its_total(experiment: Experiment, tmp_path: Path):
    watched, experiment = Counting(), experiment.model_copy(update={"cases": 1})
    directory = run(experiment, tmp_path / "run", progress=watched)
    records = Counter(record.editor for record in directory.records())
    stages = {f"{name}, editor {n} of 3": records[name] for n, name in enumerate(records, 1)}
    assert stages == {name: total for name, total in watched.totals.items() if "editor" in name}
    assert stages == {name: done for name, done in watched.done.items() if "editor" in name}
    again = Counting()
    run(experiment, tmp_path / "run", progress=again)
    assert stages.items() <= again.done.items()


def test_an_editor_is_told_of_once_all_its_cases_are_measured(
    experiment: Experiment, tmp_path: Path
):
    told: list[tuple[Counter[str], int]] = []

    def measured(directory: RunDirectory, left: int) -> None:
        told.append((Counter(record.editor for record in directory.records()), left))

    run(experiment, tmp_path / "run", measured=measured)
    whole = {"ft": CASES * len(DATASETS), "rome": CASES * len(DATASETS)}
    whole["rome+mle"] = CASES * len(ROUND_KINDS)
    assert told == [
        (Counter({name: whole[name] for name in list(whole)[:n]}), 3 - n) for n in (1, 2, 3)
    ]
    told.clear()
    run(experiment, tmp_path / "run", measured=measured)
    assert told == [], "nothing was left to measure"

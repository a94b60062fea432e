"""The same run again, or on from where it stopped, gives the same records bit for bit."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine_runs import same_bits, tables

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.editors.fine_tune import FineTune
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import RunDirectory


def test_the_same_run_twice_is_the_same_bit_for_bit(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    assert same_bits(run(experiment, tmp_path / "again"), whole)


@pytest.mark.parametrize("seed", range(3))
def test_a_resumed_run_is_the_run_that_was_never_cut(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path, seed: int
):
    """Whatever subset of its parts is missing."""
    shutil.copytree(whole.path, tmp_path / "cut")
    cut = RunDirectory.read(tmp_path / "cut")
    share = (0.05, 0.5, 1.0)[seed]
    lost = random.Random(seed).sample(cut.parts(), k=max(1, int(share * len(cut.parts()))))
    for part in lost:
        (cut.path / "records" / f"{part}.parquet").unlink()
    kept = {part: cut.path / "records" / f"{part}.parquet" for part in cut.parts()}
    written = {part: file.stat().st_mtime_ns for part, file in kept.items()}
    assert len(kept) == len(whole.parts()) - len(lost)
    resumed = run(experiment, cut.path)
    assert same_bits(resumed, whole)
    assert written == {part: file.stat().st_mtime_ns for part, file in kept.items()}


def test_a_finished_run_has_nothing_left_to_do(
    experiment: Experiment, whole: RunDirectory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(FineTune, "fit", None)
    monkeypatch.setattr("pitfalls.bench.carry_out.observe", None)
    assert run(experiment, whole.path).parts() == whole.parts()


def test_half_written_files_of_a_killed_run_are_removed(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    shutil.copytree(whole.path, tmp_path / "killed")
    (part, *_) = whole.parts()
    file = tmp_path / "killed" / "records" / f"{part}.parquet"
    file.rename(file.with_name(f"{file.name}.tmp"))
    assert same_bits(run(experiment, tmp_path / "killed"), whole)
    assert not list((tmp_path / "killed").rglob("*.tmp"))


OTHER: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "cases": {"cases": 1},
    "chunk": {"chunk": 7},
    "editors": {"editors": ("ft",)},
    "data": {"data": ("round/easy",)},
    "dtype": {"dtype": "bfloat16"},
    "known": {"known": True},
    "ft.lr": {"settings": {"ft": {"layer": 2, "steps": 3, "lr": 1e-3}}},
}


@pytest.mark.parametrize("what", OTHER)
def test_another_configuration_is_refused_and_named(
    experiment: Experiment, whole: RunDirectory, what: str
):
    changes = OTHER[what]
    if "settings" in changes:
        changes = {"settings": {**experiment.settings, **changes["settings"]}}
    other = experiment.model_copy(update=changes)
    before = tables(whole)
    with pytest.raises(PitfallsError, match="was made with another configuration") as told:
        run(other, whole.path)
    assert what in str(told.value)
    assert "\n" not in str(told.value)
    assert tables(whole).keys() == before.keys()


def test_a_run_from_before_there_was_such_a_choice_goes_on(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    shutil.copytree(whole.path, tmp_path / "old")
    file = tmp_path / "old" / "run.json"
    header = json.loads(file.read_text("utf-8"))
    del header["config"]["known"]
    for info in header["data"].values():
        del info["kept"]
    file.write_text(json.dumps(header), "utf-8")
    assert same_bits(run(experiment, tmp_path / "old"), whole)

"""Cases that a run leaves out on request: degenerate ones, and facts that the model lacks."""

import shutil
from pathlib import Path

import pytest
from engine_runs import same_bits

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import FACETS, NOT_READ
from pitfalls.records.observation import observe_run
from pitfalls.records.run_directory import RunDirectory


def test_degenerate_cases_are_left_out_on_request(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    asked = {"data": (str(odd_data),), "editors": ("ft",), "cases": 2}
    plain = run(experiment.model_copy(update=asked), tmp_path / "plain")
    skipping = run(
        experiment.model_copy(update={**asked, "skip_degenerate": True}), tmp_path / "skipping"
    )
    sound = [case.id for case in load_cases("conflict/coverage", 3)]
    assert [record.case_id for record in plain.records()] == ["idle", sound[0]]
    assert [record.case_id for record in skipping.records()] == sound[:2]


def test_nothing_but_degenerate_cases_is_refused(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    idle, *_ = load_cases(str(odd_data))
    write_cases(odd_data, [idle])
    asked = {"data": (str(odd_data),), "skip_degenerate": True}
    with pytest.raises(PitfallsError, match="holds no case that can be measured"):
        run(experiment.model_copy(update=asked), tmp_path / "run")


READ = ("conflict/coverage", "round/hard")


@pytest.fixture(scope="module")
def knowing(experiment: Experiment) -> Experiment:
    """Data sets of which records tell whether the model knows the fact, and one of which not."""
    wanted = {"data": (*READ, "conflict/reverse"), "editors": ("ft",), "cases": 3, "known": True}
    return experiment.model_copy(update=wanted)


@pytest.fixture(scope="module")
def known_only(knowing: Experiment, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return run(knowing, tmp_path_factory.mktemp("runs") / "known")


def test_known_keeps_the_first_cases_whose_fact_the_model_knows(
    knowing: Experiment, known_only: RunDirectory, tmp_path: Path
):
    every = run(knowing.model_copy(update={"known": False, "cases": 12}), tmp_path / "every")
    told = [(case, FACETS["known"](case)) for case in observe_run(every)]
    assert {facet for _, facet in told} == {"yes", "no", NOT_READ}
    kept = list(observe_run(known_only))
    for data in READ:
        known = [one.case_id for one, facet in told if one.source.data == data and facet == "yes"]
        assert [one.case_id for one in kept if one.source.data == data] == known[:3]
        assert known_only.header.data[data].kept == tuple(known[:3])
    assert sum(one.source.data not in READ for one in kept) == 3


def test_a_run_of_known_facts_goes_on_with_the_same_cases(
    knowing: Experiment, known_only: RunDirectory, tmp_path: Path
):
    shutil.copytree(known_only.path, tmp_path / "cut")
    (tmp_path / "cut" / "records" / f"{known_only.parts()[0]}.parquet").unlink()
    assert same_bits(run(knowing, tmp_path / "cut"), known_only)
    with pytest.raises(PitfallsError, match="known was True, now False"):
        run(knowing.model_copy(update={"known": False}), tmp_path / "cut")
    file = tmp_path / "cut" / "run.json"
    kept = known_only.header.data[READ[0]].kept or ()
    file.write_text(file.read_text("utf-8").replace(kept[0], "another"), "utf-8")
    with pytest.raises(PitfallsError, match=f"data.{READ[0]}.kept was"):
        run(knowing, tmp_path / "cut")


def test_nothing_but_unknown_facts_is_refused(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    idle, *_ = load_cases(str(odd_data))  # its true object stays what it is: no preference
    write_cases(odd_data, [idle])
    asked = {"data": (str(odd_data),), "known": True, "editors": ("ft",)}
    with pytest.raises(PitfallsError, match="holds no case that rests on a fact that the model"):
        run(experiment.model_copy(update=asked), tmp_path / "run")

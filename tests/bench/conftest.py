"""Shared by the tests of the engine: one run over all data sets, made once."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine_runs import CASES

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.records.run_directory import RunDirectory


@pytest.fixture(scope="session")
def experiment(tiny_folder: Path, moments: MomentSettings) -> Experiment:
    """Two methods and one of them as Multi-Label Edit, over all starter data sets, in 2 chunks."""
    return Experiment(
        model=str(tiny_folder),
        editors=("ft", "rome", "rome+mle"),
        cases=CASES,
        chunk=5,
        settings={
            "ft": {"layer": 2, "steps": 3, "lr": 5e-3},
            "rome": {
                "layer": 1,
                "contexts": {"templates": ["{}", "One day. {}"]},
                "moments": {"corpus": moments.corpus},
                "value": {"steps": 4, "weight_decay": 1e-3},
            },
        },
    )


@pytest.fixture(scope="session")
def whole(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return run(experiment, tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def odd_data(tmp_path: Path) -> Path:
    """Three sound cases, and in front of them one whose first edit changes nothing."""
    sound = load_cases("conflict/coverage", 3)
    first, second = sound[0].first, sound[0].second
    assert first.object is not None
    idle = replace(
        sound[0],
        id="idle",
        edits=(replace(first, new_object=first.object), replace(second, object=first.object)),
    )
    path = tmp_path / "odd.jsonl"
    write_cases(path, [idle, *sound])
    return path

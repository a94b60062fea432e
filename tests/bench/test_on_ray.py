"""Workers on a Ray cluster measure what a plain run measures, also where one of them dies."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from engine_runs import same_bits
from killing import killing_one, named

from pitfalls.bench.experiment import Experiment
from pitfalls.bench.hiring import hiring
from pitfalls.bench.on_ray import check_cluster, places
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import RunDirectory

HERE = Path(__file__).parent
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
SCRIPT = """\
import sys
from pathlib import Path
import ray, torch
from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.hiring import hiring
from pitfalls.progress import SilentProgress

class Told(SilentProgress):
    def note(self, line):
        print(line)

torch.set_num_threads(1)
experiment = Experiment.model_validate_json(Path(sys.argv[1]).read_text("utf-8"))
run(experiment, sys.argv[2], workers=hiring("ray"), progress=Told())
"""


@needs_ray
@pytest.mark.skipif(sys.platform != "linux", reason="looks for a process in /proc")
def test_ray_workers_of_whom_one_dies_do_what_a_plain_run_does(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
) -> None:
    """In a process of its own: Ray warns of much that this test is not about."""
    asked, out = tmp_path / "experiment.json", tmp_path / "run"
    asked.write_text(experiment.model_dump_json(), "utf-8")
    before = named("ray::RayServant")
    two_cores = os.environ | {"RAY_OVERRIDE_RESOURCES": '{"CPU": 2}', "OMP_NUM_THREADS": "1"}
    with killing_one(out, lambda: named("ray::RayServant") - before) as killed:
        command = [sys.executable, "-c", SCRIPT, asked, out]
        done = subprocess.run(
            command, env=two_cores, cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert len(killed) == 1
    assert "was lost" in done.stdout
    assert same_bits(RunDirectory.read(out), whole)


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_its_extra_is_named() -> None:
    for text in ("ray", "ray:auto"):
        with pytest.raises(PitfallsError, match=r"needs Ray: pip install 'pitfalls\[ray\]'"):
            hiring(text)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_told_in_one_line(address: str) -> None:
    with pytest.raises(PitfallsError, match=r"cannot be reached: .*ray start --head") as told:
        check_cluster(address)
    assert address in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("address", ["somewhere", "host:port", ":6379"])
def test_what_is_no_address_is_told_in_one_line(address: str) -> None:
    with pytest.raises(PitfallsError, match="expected HOST:PORT, ray://HOST:PORT or auto"):
        check_cluster(address)


def test_the_cluster_of_the_environment_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(PitfallsError, match="cannot be reached"):
        check_cluster(None)
    monkeypatch.delenv("RAY_ADDRESS")
    check_cluster(None)
    check_cluster("auto")


def test_workers_fit_where_their_cores_and_gpus_are() -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 2.0}},
        {"Alive": True, "Resources": {"CPU": 7.0}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    ]
    assert places(nodes, {"CPU": 4.0, "GPU": 0.0}) == 5
    assert places(nodes, {"CPU": 4.0, "GPU": 1.0}) == 2
    assert places(nodes, {"CPU": 32.0, "GPU": 0.0}) == 0

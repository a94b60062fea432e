"""A run that is killed again and again ends with the records of one that never was."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pitfalls.records.run_directory import RunDirectory
from pitfalls.testing import TEXT

KILLS = 5
EXPERIMENT = """\
model = "{model}"
editors = ["ft", "rome"]
cases = 8
chunk = 5
seed = 3

[settings.ft]
layer = 1
steps = 5

[settings.rome]
layer = 2
contexts = {{ templates = ["{{}}", "Then. {{}}"] }}
moments = {{ corpus = "{corpus}" }}
value = {{ steps = 3 }}
"""
"""80 parts; each takes a moment."""


@pytest.fixture
def experiment(tiny_folder: Path, tmp_path: Path) -> Path:
    corpus, file = tmp_path / "corpus.txt", tmp_path / "kill.toml"
    words = TEXT.split()
    corpus.write_text("\n\n".join(" ".join(words[i:] + words) for i in range(20)), "utf-8")
    file.write_text(EXPERIMENT.format(model=tiny_folder, corpus=corpus))
    return file


def start(experiment: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [Path(sys.executable).with_name("pitfalls"), "run", experiment, "--out", out]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    with out.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=one_thread)


def finish(experiment: Path, out: Path) -> RunDirectory:
    assert start(experiment, out).wait() == 0, out.with_suffix(".log").read_text()
    return RunDirectory.read(out)


def kill_after(process: "subprocess.Popen[bytes]", out: Path, *, parts: int, rest: float) -> None:
    """Kill -9 once the run has so many parts, and a little later."""
    while len(list(out.glob("records/*.parquet"))) < parts:
        assert process.poll() is None, out.with_suffix(".log").read_text()
        time.sleep(0.002)
    time.sleep(rest)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 on Windows")
def test_a_run_killed_again_and_again_is_the_whole_run(experiment: Path, tmp_path: Path) -> None:
    whole = finish(experiment, tmp_path / "whole")
    draw = random.Random(20231003)
    out, parts = tmp_path / "killed", 0
    for kill in range(KILLS):
        process = start(experiment, out)
        # The first one dies while it starts, the others a few parts on.
        parts += draw.randint(1, 6) if kill else 0
        kill_after(process, out, parts=parts, rest=draw.uniform(0, 0.05) if kill else 1.0)
        parts = max(parts, len(list(out.glob("records/*.parquet"))))
    assert 0 < parts < len(whole.parts())

    killed = finish(experiment, out)
    assert [file for file in out.rglob("*") if file.suffix == ".tmp"] == []
    assert killed.parts() == whole.parts()
    for part in whole.parts():
        one, other = (run.table(part).drop_columns("seconds") for run in (whole, killed))
        assert one.equals(other), part
    assert killed.header.differences(whole.header) == []

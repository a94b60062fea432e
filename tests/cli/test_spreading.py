"""`pitfalls run` by shares and by workers, and how far a run is."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import CommandLine

from pitfalls.cli.spreading import spans
from pitfalls.records.run_directory import RunDirectory

FAST = ["--set", "ft.layer=1", "--set", "ft.steps=1", "--set", "ft-norm.steps=1"]


@pytest.fixture
def words(tiny_folder: Path, tmp_path: Path) -> list[object]:
    """Two editors on two data sets, and one of them as Multi-Label Edit: 2 + 2 + 1 chunks."""
    experiment = tmp_path / "small.toml"
    experiment.write_text("chunk = 4\n")
    editors = [word for name in ("ft", "ft-norm", "ft+mle") for word in ("--editor", name)]
    data = ["--data", "conflict/reverse", "--data", "round/easy", "--cases", "3"]
    return ["run", experiment, "--model", tiny_folder, *editors, *data, *FAST]


def rows_of(pitfalls: CommandLine, out: Path, *more: object) -> list[dict[str, Any]]:
    answer = pitfalls("run", "--status", out, "--json", *more)
    assert answer.status == 0, answer.err
    found: list[dict[str, Any]] = json.loads(answer.out)
    return found


def test_shares_one_after_the_other_fill_a_run(
    pitfalls: CommandLine, words: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    first = pitfalls(*words, "--shard", "2/3", "--out", out)
    assert first.status == 0, first.err
    assert "Shard 2/3 is done; of the run" in first.out
    assert "Knowledge conflict" not in first.out
    done = {part["editor"]: part["chunks"] for part in rows_of(pitfalls, out)}
    assert sum(done.values()) > 0

    table = pitfalls("run", "--status", out, "--shards", "3").out
    assert "Shards with something missing: 1,3 of 3." in table
    for row in rows_of(pitfalls, out, "--shards", "3"):
        assert row["model"] and row["of_chunks"] == 2 and row["of_cases"] == 3
        assert row["chunks"] + len(row["missing"]) == row["of_chunks"]
        assert {each["shard"] for each in row["missing"]} <= {"1/3", "3/3"}

    assert pitfalls(*words, "--shard", "3/3", "--out", out).status == 0
    last = pitfalls(*words, "--shard", "1/3", "--out", out)
    assert "Knowledge conflict" in last.out, "the share that completes a run shows its scores"
    rows = rows_of(pitfalls, out)
    assert all(not row["missing"] and row["cases"] == row["of_cases"] for row in rows)
    assert {(row["editor"], row["data"]) for row in rows} == {
        *(("ft", data) for data in ("conflict/reverse", "round/easy")),
        *(("ft-norm", data) for data in ("conflict/reverse", "round/easy")),
        ("ft+mle", "round/easy"),
    }


def test_what_is_missing_belongs_to_the_share_that_does_it(
    pitfalls: CommandLine, words: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert pitfalls(*words, "--out", out).status == 0
    every = RunDirectory.read(out).parts()
    for part in every:
        (out / "records" / f"{part}.parquet").unlink()
    missing = {
        (row["editor"], each["chunk"]): each["shard"]
        for row in rows_of(pitfalls, out, "--shards", "2")
        for each in row["missing"]
    }
    assert pitfalls(*words, "--shard", "1/2", "--out", out).status == 0
    done = {
        (name.split(".")[1], int(name.split(".")[2])) for name in RunDirectory.read(out).parts()
    }
    assert done == {chunk for chunk, shard in missing.items() if shard == "1/2"}


def test_a_damaged_part_is_named(
    pitfalls: CommandLine, words: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert pitfalls(*words, "--out", out).status == 0
    (out / "records" / "conflict-reverse.ft.00001.parquet").write_bytes(b"half")
    told = pitfalls("run", "--status", out).out
    assert "Damaged, to be deleted before the run goes on: chunk 1 of ft." in told
    (row, *_) = rows_of(pitfalls, out)
    assert row["missing"] == [{"chunk": 1, "cases": 1, "damaged": True, "shard": None}]


def test_a_run_by_two_workers_prints_what_a_plain_one_does(
    pitfalls: CommandLine, words: list[object], tmp_path: Path
) -> None:
    plain = pitfalls(*words, "--out", tmp_path / "plain")
    spread = pitfalls(*words, "--workers", "2", "--out", tmp_path / "spread")
    assert spread.status == 0, spread.err
    assert "2 workers" in spread.err
    last = [answer.out.rpartition("Knowledge conflict")[2] for answer in (plain, spread)]
    assert last[0].replace("plain", "") == last[1].replace("spread", "")
    runs = [RunDirectory.read(tmp_path / name) for name in ("plain", "spread")]
    one, other = ([run.table(part).drop_columns("seconds") for part in run.parts()] for run in runs)
    assert one == other


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals on Windows")
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_by_workers_stops_as_a_whole(
    tiny_folder: Path, tmp_path: Path, by: signal.Signals, status: int
) -> None:
    experiment, out = tmp_path / "long.toml", tmp_path / "run"
    experiment.write_text('editors = ["ft"]\nchunk = 1\n[settings.ft]\nlayer = 1\nsteps = 3\n')
    words = ["run", experiment, "--model", tiny_folder, "--workers", "2", "--out", out]
    process = subprocess.Popen(
        [sys.executable, "-m", "pitfalls", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    while not any(out.glob("records/*.parquet")):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)
    os.killpg(process.pid, by)  # as a terminal does
    _, told = process.communicate(timeout=120)
    assert process.returncode == status, told
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("pitfalls: stopped: the chunks that are written stay")
    end = time.monotonic() + 30
    while time.monotonic() < end and runs(process.pid):
        time.sleep(0.1)
    assert not runs(process.pid), "workers outlive the run"


def runs(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--shard", "17/16"], "there are shards 1/16 to 16/16"),
        (["--shard", "3"], "expected I/N with I from 1 to N"),
        (["--workers", "0"], "expected a number from 1 to"),
        (["--workers", "many"], "ray or ray:ADDRESS"),
        (["--plan", "--shard", "1/2"], "--plan is about a whole run"),
        (["--status", "DIR", "--workers", "2"], "--shards and --json only"),
        (["--status", "DIR", "--out", "x"], "--shards and --json only"),
        (["--json"], "--json belongs to --status DIR"),
        (["--shards", "2"], "--shards belongs to --status DIR"),
    ],
)
def test_words_that_do_not_fit_are_refused(
    pitfalls: CommandLine, tmp_path: Path, options: list[str], told: str
) -> None:
    data = [] if "--status" in options else ["--editor", "ft", "--data", "conflict/reverse"]
    assert told in pitfalls("run", *data, *options).complaint


def test_the_status_of_no_run_is_told_in_one_line(pitfalls: CommandLine, tmp_path: Path) -> None:
    assert "no run in" in pitfalls("run", "--status", tmp_path).complaint
    assert "--shards" in pitfalls("run", "--status", tmp_path, "--shards", "0").complaint


def test_numbers_in_short() -> None:
    assert spans([]) == ""
    assert spans([0, 3, 4, 5, 7]) == "0,3-5,7"

"""Shares of a run add up to the run, in whatever order and by whoever they are done."""

import shutil
from pathlib import Path

import pytest
from engine_runs import same_bits
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.shard import Shard, shard_of
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import RunDirectory


@given(count=st.integers(0, 60), of=st.integers(1, 20))
def test_every_chunk_belongs_to_one_share(count: int, of: int) -> None:
    everything = list(range(count))
    shares = [Shard(number, of).share(everything) for number in range(1, of + 1)]
    assert sorted(each for share in shares for each in share) == everything
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for number, share in enumerate(shares, start=1):
        assert all(shard_of(position, of) == Shard(number, of) for position in share)


@pytest.mark.parametrize("text", ["17/16", "0/4", "3", "a/b", "3/16/2", "-1/4", "1/0", "", "٣/٤"])
def test_a_share_that_there_is_not_is_told_in_one_line(text: str) -> None:
    with pytest.raises(PitfallsError) as told:
        Shard.parse(text)
    assert "\n" not in str(told.value)


def test_a_share_is_read_as_it_is_written() -> None:
    assert Shard.parse("3/16") == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"


def test_shares_in_any_order_are_the_run_that_was_never_cut(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
) -> None:
    seen: set[str] = set()
    for number in (2, 3, 1):
        directory = run(experiment, tmp_path / "run", shard=Shard(number, 3))
        assert seen < set(directory.parts()) <= set(whole.parts())
        seen = set(directory.parts())
    assert same_bits(RunDirectory.read(tmp_path / "run"), whole)


def test_what_a_dead_share_left_is_done_by_whoever_runs_next(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
) -> None:
    shutil.copytree(whole.path, tmp_path / "run")
    directory = RunDirectory.read(tmp_path / "run")
    for part in directory.parts()[1::2]:
        (directory.path / "records" / f"{part}.parquet").unlink()
    one = run(experiment, directory.path, shard=Shard(1, 2))
    assert set(one.parts()) < set(whole.parts())
    assert same_bits(run(experiment, directory.path), whole)

"""Any number of processes write one run directory without harm to each other."""

import os
import time
from pathlib import Path

import pytest
from made_runs import PART, header, record
from writing import PARTS, started, wait_for, write_all, write_slowly

from pitfalls import leftovers
from pitfalls.disk import write_bytes, write_once
from pitfalls.leftovers import STALE, remove_leftovers, temporary_beside
from pitfalls.records.run_directory import RunDirectory

WRITERS = 3


def half_written(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.tmp"))


def test_writers_that_start_together_lose_nothing(tmp_path: Path) -> None:
    out, go = tmp_path / "run", tmp_path / "go"
    writers = [started(write_all, out, number, go) for number in range(WRITERS)]
    go.touch()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    run = RunDirectory.read(out)
    assert set(run.header.moments) == {f"editor-{number}" for number in range(WRITERS)}
    assert run.parts() == PARTS
    assert [row.case_id for row in run.records()] == [str(n) for n in range(len(PARTS))]
    assert half_written(out) == []


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems tell whether a process lives")
def test_a_file_that_is_being_written_stays_until_its_writer_dies(tmp_path: Path) -> None:
    out, go = tmp_path / "run", tmp_path / "go"
    RunDirectory.open(out, header())
    for part, dies in (("one", False), ("two", True)):
        reached = tmp_path / f"reached-{part}"
        writer = started(write_slowly, out, part, reached, go)
        wait_for(reached)
        before = half_written(out)
        assert len(before) == 1
        RunDirectory.open(out, header())
        assert half_written(out) == before
        if dies:
            writer.kill()
        else:
            go.touch()
        writer.join(60)
        go.unlink(missing_ok=True)
    assert RunDirectory.open(out, header()).parts() == ["one"]
    assert half_written(out) == []


def test_a_file_of_another_machine_is_left_once_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(leftovers.socket, "gethostname", lambda: "elsewhere")
        file = temporary_beside(tmp_path / "part")
    file.write_bytes(b"half")
    remove_leftovers(tmp_path)
    assert file.exists()
    long_ago = time.time() - STALE - 60
    os.utime(file, (long_ago, long_ago))
    remove_leftovers(tmp_path)
    assert not file.exists()


def test_a_write_whose_half_was_removed_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, removed = os.fsync, list[Path]()

    def robbed(descriptor: int) -> None:
        flush(descriptor)
        if not removed:
            removed.extend(half_written(tmp_path))
            removed[0].unlink()

    monkeypatch.setattr(os, "fsync", robbed)
    write_bytes(tmp_path / "file", b"whole")
    assert len(removed) == 1
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert half_written(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_the_first_writer_of_a_part_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert write_once(tmp_path / "file", b"first")
    monkeypatch.setattr("pitfalls.disk.is_file", lambda path: False)  # written a moment ago
    assert not write_once(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"first"
    assert half_written(tmp_path) == []


def test_a_part_stays_as_it_was_written_first(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "run", header())
    run.write(PART, [record()])
    run.write(PART, [record(failure="later")])
    assert list(run.records()) == [record()]

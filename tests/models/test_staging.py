"""Folders are made whole or not at all, and leftovers of killed processes are deleted."""

import os
import time
from pathlib import Path

import pytest

from pitfalls.staging import PREFIX, STALE, scratch, staged


def test_what_a_killed_process_left_long_ago_is_cleared(tmp_path: Path) -> None:
    old, young = tmp_path / f"{PREFIX}old", tmp_path / f"{PREFIX}young"
    other = tmp_path / "a-model"
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "model.gguf").write_bytes(b"half")
    long_ago = time.time() - STALE - 60
    for folder in (old, other):
        os.utime(folder, (long_ago, long_ago))
    with scratch(tmp_path) as room:
        assert room.is_dir()
    assert sorted(tmp_path.iterdir()) == [young, other]


def test_a_folder_that_fails_to_be_made_leaves_nothing(tmp_path: Path):
    def fail() -> None:
        with staged(tmp_path / "made") as folder:
            (folder / "half").touch()
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_two_that_make_the_same_folder_both_succeed(tmp_path: Path):
    with staged(tmp_path / "made") as slow:
        (slow / "content").write_text("slow")
        with staged(tmp_path / "made") as quick:
            (quick / "content").write_text("quick")
    assert (tmp_path / "made" / "content").read_text() == "quick"
    assert len(list(tmp_path.iterdir())) == 1

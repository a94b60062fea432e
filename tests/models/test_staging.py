"""A cache into which killed processes leave nothing for ever."""

import os
import time
from pathlib import Path

from pitfalls.staging import PREFIX, STALE, scratch


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

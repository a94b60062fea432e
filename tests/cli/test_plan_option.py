"""`pitfalls run --plan` tells what a run takes, and leaves nothing behind."""

from pathlib import Path

import pytest
from commands import CommandLine

from pitfalls.bench import engine


def test_plan(
    pitfalls: CommandLine, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the run begins")

    monkeypatch.setattr(engine, "run", refuse)
    words = ["run", "--plan", "--model", tiny_folder, "--editor", "ft", "--cases", "2"]
    answer = pitfalls(*words, "--data", "conflict/reverse", "--out", tmp_path / "out")
    assert answer.status == 0
    # Two cases with an edit each, and one on top of it; the unedited model is read as well.
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["ft", "2", "4"] in [row[:3] for row in rows]
    assert ["(unedited)", "2", "0"] in [row[:3] for row in rows]
    assert "Memory at the peak" in answer.out
    assert "Weights in float32 on cpu: fits into its" in " ".join(answer.out.split())
    assert "Nothing was run" in answer.out and "knew every fact" not in answer.out
    known = pitfalls(*words, "--known", "--data", "conflict/reverse", "--out", tmp_path / "out")
    assert "Counted as if the model knew every fact" in known.out
    assert not (tmp_path / "out").exists()


def test_a_plan_refuses_what_a_run_refuses(pitfalls: CommandLine) -> None:
    assert "rom" in pitfalls("run", "--plan", "--editor", "rom").complaint
    assert "no-such" in pitfalls("run", "--plan", "--model", "./no-such").complaint


def test_a_prefix_is_read_in_every_prompt(pitfalls: CommandLine, tiny_folder: Path) -> None:
    words = ["run", "--plan", "--model", tiny_folder, "--editor", "ft", "--cases", "1"]
    words += ["--data", "conflict/reverse"]
    plain, begun = (pitfalls(*words, *more) for more in ([], ["--prefix", "One day, long ago. "]))
    read = [
        next(row.split()[3] for row in answer.out.splitlines() if "(unedited)" in row)
        for answer in (plain, begun)
    ]
    assert float(read[1].replace(",", "")) > float(read[0].replace(",", ""))

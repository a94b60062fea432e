"""`pitfalls report`: runs in, one file out, mistakes in one line."""

import sys
from pathlib import Path

import pytest
from commands import CommandLine

sys.path.append(str(Path(__file__).parents[1] / "report"))

from runs_on_disk import make_run


def test_it_writes_one_file(pitfalls: CommandLine, tmp_path: Path) -> None:
    run, file = make_run(tmp_path / "a"), tmp_path / "report.html"
    answer = pitfalls("report", run, "--html", file)
    assert answer.status == 0 and answer.out.startswith(f"{file}: ")
    assert "the arithmetic of the published code" in file.read_text("utf-8")
    assert pitfalls("report", run, "--preset", "clean", "--html", file).status == 0
    assert "what the paper means" in file.read_text("utf-8")


def test_the_baseline_is_named(pitfalls: CommandLine, tmp_path: Path) -> None:
    one, other = make_run(tmp_path / "a"), make_run(tmp_path / "b", seed=1)
    file = tmp_path / "report.html"
    assert pitfalls("report", one, other, "--base", f"{other}/", "--html", file).status == 0
    assert f"What changed against the run {other}" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{run}"], "Missing option '--html'"),
        (["--html", "{file}"], "nothing to report"),
        (["{folder}", "--html", "{file}"], "no run in"),
        (["{run}", "--html", "{folder}"], "{folder}"),
        (["{run}", "--html", "{file}", "--preset", "x"], "unknown preset 'x'"),
        (["{run}", "--html", "{file}", "--base", "x"], "--base x is none of the runs"),
    ],
)
def test_mistakes(pitfalls: CommandLine, tmp_path: Path, words: list[str], told: str) -> None:
    places = {"run": make_run(tmp_path / "a"), "file": tmp_path / "r.html", "folder": tmp_path}
    complaint = pitfalls("report", *(word.format(**places) for word in words)).complaint
    assert told.format(**places) in complaint
    assert not places["file"].exists()

"""`pitfalls run` shows what it has as soon as an editor is done."""

from pathlib import Path

from commands import CommandLine

SETTINGS = ["--set", "ft.layer=1", "--set", "ft.steps=1", "--set", "ft-norm.steps=1"]


def test_a_table_follows_every_editor(
    pitfalls: CommandLine, tiny_folder: Path, tmp_path: Path
) -> None:
    words = ["run", "--model", tiny_folder, "--editor", "ft", "--editor", "ft-norm", *SETTINGS]
    words += ["--data", "conflict/reverse", "--cases", "1", "--out", tmp_path / "out"]
    first, last = pitfalls(*words).out.split("Knowledge conflict")[1:]
    assert "ft-norm" not in first and "Values × 100" not in first
    assert "ft-norm" in last and "Values × 100" in last and "paper, GPT-J" in last
    again = pitfalls(*words).out
    assert again.count("Knowledge conflict") == 1, "nothing new was measured"

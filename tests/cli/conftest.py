from pathlib import Path

import pytest
from commands import CommandLine
from editing import Edit


@pytest.fixture
def pitfalls(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(capsys)


@pytest.fixture
def edit(pitfalls: CommandLine, tiny_folder: Path, tmp_path: Path) -> Edit:
    """Edits of a tiny model on a stack."""
    return Edit(pitfalls, tiny_folder, tmp_path)

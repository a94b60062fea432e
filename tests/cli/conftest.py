import signal
from collections.abc import Iterator
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


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard, also in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

import pytest
from commands import CommandLine


@pytest.fixture
def pitfalls(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(capsys)

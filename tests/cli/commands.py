"""The command line as a user meets it: words in, exit status and two streams out."""

import re
from dataclasses import dataclass

import pytest

from pitfalls.cli.main import main

NEWS = re.compile(r".+( …|: done in .+ s|, .+ s left|: licence .+)|second moments, layer .+")
"""Lines on standard error that are no complaint."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Output of a command."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that tells what the user did wrong, if all is as it should be."""
        assert self.status == 2, f"exit status {self.status}\n{self.out}\n{self.err}"
        assert self.out == ""
        *before, last = self.err.splitlines()
        assert last.startswith("pitfalls: ")
        assert [line for line in before if not NEWS.fullmatch(line)] == []
        return last


class CommandLine:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> Answer:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert isinstance(ended.value.code, int)
        streams = self._capsys.readouterr()
        return Answer(ended.value.code, streams.out, streams.err)

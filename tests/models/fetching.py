"""Helpers for tests of sources: one-line errors, a refused download, recorded progress."""

import contextlib
from pathlib import Path

import pytest

from pitfalls.errors import PitfallsError


def one_line(error: pytest.ExceptionInfo[PitfallsError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def no_download(requirement: str, folder: Path) -> None:
    raise AssertionError(f"nobody asked for {requirement}")


class Recorder:
    """Progress that records its stages and amounts."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.amounts: list[float] = []

    def stage(self, name: str, total: float | None = None, unit: str = ""):
        self.stages.append(name)
        return contextlib.nullcontext(self.amounts.append)

    def note(self, line: str) -> None:
        pass

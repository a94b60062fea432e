"""The pages that people read, taken apart."""

import re
import runpy
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer
import typer.main

from pitfalls.cli.main import app

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    REPOSITORY / name for name in ("README.md", "BENCHMARKS.md", "CONTRIBUTING.md", "CHANGELOG.md")
]
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced piece of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """Its lines as words."""
        return [shlex.split(line, comments=True) for line in self.text.splitlines()]


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            name = str(page.relative_to(REPOSITORY))
            yield Block(name, line, found[2], dedent(found[3]))


def every_command() -> Iterator[tuple[list[str], Any]]:
    """Words → command, groups included."""
    waiting: list[tuple[list[str], Any]] = [([], typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop(0)
        yield words, command
        inner = getattr(command, "commands", {})
        waiting += [([*words, name], each) for name, each in inner.items()]


def benchmark(script: Path) -> Any:
    """The command that `script` is; it may import its neighbours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(script.parent))
        main = runpy.run_path(str(script))["main"]
    alone = typer.Typer()
    alone.command()(main)
    return typer.main.get_command(alone)


def parse(words: list[str]) -> None:
    """Read a command line as `pitfalls` would, without doing it.

    Raises:
        typer.TyperException: there is no such command or option, or a value is of the wrong type.
    """
    name, *rest = words
    if name == "python":
        name, *rest = rest
        command = benchmark(REPOSITORY / name)
    else:
        assert name == "pitfalls", f"not a command of this package: {shlex.join(words)}"
        _, command = next(every_command())
    while rest and (inner := getattr(command, "commands", {}).get(rest[0])) is not None:
        command, rest = inner, rest[1:]
    if getattr(command, "commands", {}):
        assert not rest, f"{rest[0]!r} is no command in {shlex.join(words)}"
    else:
        command.make_context(name, rest)

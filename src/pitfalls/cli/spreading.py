"""Options of `pitfalls run` that spread one run over processes and machines."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.bench.shard import shard_of
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import RunDirectory

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.bench.status import Line

ShardOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Do the Ith of N shares of the chunks."),
]
Workers: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="N|ray[:ADDRESS]",
        help="Spread the chunks over N processes, a device each, or over a Ray cluster.",
    ),
]
StatusOf: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--status", metavar="DIR", help="Print which chunks of a run are there, and exit."
    ),
]
Shards: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="With --status: how many shares, to name those with chunks missing."),
]
StatusAsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="With --status: print JSON instead of a table.")
]


def refuse_mixed(run: Path | None, shards: int | None, as_json: bool, *, others: bool) -> None:
    """Refuse options that do not go together.

    Args:
        run: of --status.
        shards: of --shards.
        as_json: of --json.
        others: whether any other option of `pitfalls run` was given.

    Raises:
        PitfallsError: --status beside one of the others, or its own options without it.
    """
    if run is not None and others:
        raise PitfallsError(
            "--status looks at a run that is there: besides it give --shards and --json only"
        )
    for name, given in (("--shards", shards is not None), ("--json", as_json)):
        if run is None and given:
            raise PitfallsError(f"{name} belongs to --status DIR; leave it out, or name a run")


def tell_status(run: Path, shards: int | None, as_json: bool) -> None:
    """Print how far a run is.

    Raises:
        PitfallsError: no run there.
    """
    from pitfalls.bench.status import status_of  # torch

    lines = status_of(RunDirectory.read(run))
    if as_json:
        rows = [line.as_json(shards) for line in lines]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(_table(lines))
    for told in _conclusion(lines, shards):
        console.print(told, soft_wrap=True)


def is_whole(lines: "Sequence[Line]") -> bool:
    """Whether nothing of a run is missing."""
    return not any(line.missing for line in lines)


def counted(lines: "Sequence[Line]") -> str:
    """Chunks and cases that are there: `12 of 150 chunks, 48 of 600 cases`."""
    chunks, of_chunks = sum(each.chunks for each in lines), sum(each.of_chunks for each in lines)
    cases, of_cases = sum(each.cases for each in lines), sum(each.of_cases for each in lines)
    return f"{chunks:,} of {of_chunks:,} chunks, {cases:,} of {of_cases:,} cases"


def _table(lines: "Sequence[Line]") -> Table:
    table = Table("editor", "data", box=SIMPLE_HEAD)
    for head in ("chunks", "cases"):
        table.add_column(head, justify="right")
    table.add_column("missing")
    for line in lines:
        counts = (f"{line.chunks}/{line.of_chunks}", f"{line.cases}/{line.of_cases}")
        missing = spans([each.chunk for each in line.missing])
        table.add_row(line.editor, line.data, *counts, missing)
    return table


def _conclusion(lines: "Sequence[Line]", shards: int | None) -> Iterator[str]:
    yield f"{counted(lines)} are there."
    missing = [each for line in lines for each in line.missing]
    if shards is not None and missing:
        theirs = sorted({shard_of(each.position, shards).number for each in missing})
        yield f"Shards with something missing: {spans(theirs)} of {shards}."
    if damaged := [(line, each) for line in lines for each in line.missing if each.damaged]:
        told = ", ".join(f"chunk {each.chunk} of {line.editor}" for line, each in damaged)
        yield f"Damaged, to be deleted before the run goes on: {told}."


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: `0,3-5`, as job arrays take them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)

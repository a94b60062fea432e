"""`pitfalls data`: list data sets, fetch the published ones, and look into them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.cases.anomalies import describe, is_degenerate
from pitfalls.cases.audit import audit as audit_cases
from pitfalls.cases.audit import counts
from pitfalls.cases.catalogue import published, published_named
from pitfalls.cases.collections import PACKAGED, available, load_cases
from pitfalls.cases.fetch import check_installed
from pitfalls.cases.fetch import fetch as fetch_collection
from pitfalls.cases.in_words import in_words
from pitfalls.cases.known import known_around
from pitfalls.cli.groups import Commands, ListByDefault
from pitfalls.cli.progress import progress_on
from pitfalls.errors import PitfallsError

HELP = """List, fetch, verify, audit and show the cases.

A data set is named `conflict/coverage`, `released-gpt-j:round/easy`, `FOLDER:round/hard` or by \
the path to one file.

Example: pitfalls data show conflict/reverse --index 3
"""

app = Commands(cls=ListByDefault, help=HELP)
Name = Annotated[str, typer.Argument(help="[COLLECTION:]SET, or a path to a file of cases.")]


@app.command("list")
def show_list() -> None:
    """List every set of every collection, fetched or not; the default command.

    Example: pitfalls data
    """
    console = Console()
    table = Table("collection", "set", "cases", "here", box=SIMPLE_HEAD)
    sources = {}
    for each in available():
        here = "yes" if each.present else "no"
        table.add_row(each.collection, each.name, str(each.cases), here)
        sources[each.collection] = f"{each.collection}: {each.licence}, {each.source}"
    console.print(table)
    for line in sources.values():
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def fetch(
    collection: Annotated[str, typer.Argument(help="released-gpt-j or released-gpt2-xl.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A local copy, to be used instead of the authors' repository."),
    ] = None,
) -> None:
    """Install a published collection and check it byte by byte.

    Example: pitfalls data fetch released-gpt-j --from PitfallsKnowledgeEditing/data
    """
    print(fetch_collection(collection, from_dir=source, progress=progress_on()))


@app.command()
def verify(
    collection: Annotated[
        str | None, typer.Argument(help="A collection; left out: all that are here.")
    ] = None,
) -> None:
    """Check that collections are still as fetched, and that their cases can be read.

    Example: pitfalls data verify released-gpt-j
    """
    here = [*PACKAGED, *(each.name for each in published().values() if each.present)]
    for name in here if collection is None else [collection]:
        if name not in PACKAGED:
            check_installed(published_named(name))
        sets = [each.name for each in available() if each.collection == name and each.present]
        total = sum(len(load_cases(f"{name}:{data_set}")) for data_set in sets)
        print(f"{name}: {total} cases, all as they should be")


@app.command()
def audit(
    name: Name,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of objects instead of a table.")
    ] = False,
) -> None:
    """Count the anomalies of a data set: cases that are odd, or that cannot be measured.

    Example: pitfalls data audit released-gpt-j:conflict/composite
    """
    cases = load_cases(name)
    found = counts(audit_cases(cases, known=known_around(name)))
    if as_json:
        rows = [
            {"data": name, "anomaly": anomaly, "cases": count, "of": len(cases)}
            | {"degenerate": is_degenerate(anomaly), "description": describe(anomaly)}
            for anomaly, count in found.items()
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table("anomaly", "cases", "degenerate", "meaning", box=SIMPLE_HEAD)
    for anomaly, count in found.items():
        mark = "yes" if is_degenerate(anomaly) else ""
        table.add_row(anomaly, str(count), mark, describe(anomaly))
    console = Console()
    console.print(f"{name}: {len(cases)} cases", markup=False, highlight=False)
    console.print(table)


@app.command()
def show(
    name: Name,
    index: Annotated[int, typer.Option(help="Number of the case, from 0.")] = 0,
) -> None:
    """Show one case in words: what is edited and what is read.

    Example: pitfalls data show released-gpt-j:conflict/reverse --index 17
    """
    cases = load_cases(name)
    if not 0 <= index < len(cases):
        raise PitfallsError(f"{name}: has cases 0 to {len(cases) - 1}, asked for {index}")
    table = Table.grid(padding=(0, 2))
    for what, text in in_words(cases[index]):
        table.add_row(what, text)
    Console(markup=False).print(table)

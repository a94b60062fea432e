"""`pitfalls graph`: get a graph and look at it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pitfalls.cli.engines import Memory, limit_of
from pitfalls.cli.groups import Commands
from pitfalls.cli.progress import progress_on
from pitfalls.cli.sources import SOURCE_HELP, open_source, tell_bad
from pitfalls.graph.by_name import STARTER, find_store
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.dump import Wish, read_dump
from pitfalls.graph.endpoint import Endpoint
from pitfalls.graph.graph import Graph
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import ANSWERS
from pitfalls.graph.relations_file import WORDINGS
from pitfalls.graph.sparql import fetch_store
from pitfalls.graph.store import Store
from pitfalls.graph.summary import summary

HELP = """Get a graph and look at it.

Example: pitfalls graph show
"""
WIKIDATA = "https://query.wikidata.org/sparql"

app = Commands(help=HELP, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Get a graph and look at it."""


@app.command()
def show(
    source: Annotated[str, typer.Option("--from", help=SOURCE_HELP)] = STARTER,
) -> None:
    """Count the contents of a graph, and tell of gaps: bad lines, missing types and prompts.

    Example: pitfalls graph show
    """
    if (store := find_store(source)) is not None:
        store.verify()
        tell_bad(store.bad)
    _tell(store or open_source(source).graph)


@app.command()
def sparql(
    out: Annotated[Path, typer.Option(help="The store to write, which `--from` takes.")],
    relation: Annotated[list[str], typer.Option(help="A property such as P22; repeat.")],
    *,
    endpoint: Annotated[str, typer.Option(help="Address of the endpoint.")] = WIKIDATA,
    language: Annotated[str, typer.Option(help="Language of labels and aliases.")] = "en",
    memory: Memory = None,
    page: Annotated[int, typer.Option(min=1, help="Rows for each query.")] = 10_000,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between queries.")] = 1.0,
) -> None:
    """Fetch facts, labels and types from a SPARQL endpoint; interrupted, the same command goes on.

    Example: pitfalls graph sparql --relation P184 --relation P185 --out advisors
    """
    place = Endpoint(endpoint, out / ANSWERS, pause=pause, page=page, tell=_warn)
    limit, progress = limit_of(memory), progress_on()
    bad = fetch_store(place, relation, out, language=language, memory=limit, progress=progress)
    _made(out, bad)


@app.command()
def dump(
    file: Annotated[Path, typer.Argument(help="The dump: .json, plain or as .gz, .bz2, .zst.")],
    out: Annotated[Path, typer.Option(help="The store to write, which `--from` takes.")],
    relation: Annotated[list[str], typer.Option(help="A property such as P22; repeat.")],
    *,
    language: Annotated[str, typer.Option(help="Language of labels and aliases.")] = "en",
    memory: Memory = None,
) -> None:
    """Keep some properties of a Wikidata JSON dump; interrupted, the same command goes on.

    Example: pitfalls graph dump latest-all.json.bz2 --relation P22 --relation P40 --out families
    """
    wish = Wish(file, tuple(dict.fromkeys(relation)), language)
    _made(out, read_dump(wish, out, memory=limit_of(memory), progress=progress_on()))


@app.command("import")
def import_folder(
    folder: Annotated[Path, typer.Argument(help="Triples and labels: TSV, CSV, Parquet or .nt.")],
    out: Annotated[Path, typer.Option(help="The store to write, which `--from` takes.")],
    *,
    language: Annotated[str, typer.Option(help="Language of the labels in N-Triples.")] = "en",
    memory: Memory = None,
) -> None:
    """Turn a folder into a store, for graphs too large to be read into memory every time.

    Example: pitfalls graph import triples-of-all --out everything
    """
    limit, progress = limit_of(memory), progress_on()
    bad = convert_folder(folder, out, language=language, memory=limit, progress=progress)
    _made(out, bad)


def _made(out: Path, bad: BadLines) -> None:
    tell_bad(bad)
    print(f"{out}: a graph to build from, its prompts in {out / WORDINGS}")
    _tell(Store.open(out))


def _tell(source: Graph | Store) -> None:
    for line in summary(source):
        print(line)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)

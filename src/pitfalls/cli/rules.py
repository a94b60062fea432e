"""`pitfalls rules`: which rules there are, and mining them from a graph."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.cases.order import PAPER_RULES
from pitfalls.cli.groups import ListByDefault
from pitfalls.cli.progress import progress_on
from pitfalls.graph.sources import STARTER, Sourced, open_graph
from pitfalls.graph.starter import starter_graph
from pitfalls.rules.files import COLUMNS, rule_in_words, rule_row, write_rules
from pitfalls.rules.mine import Limits, Mined
from pitfalls.rules.mine import mine as mine_rules

HELP = """List the paper's rules, and mine others from a graph.

Example: pitfalls rules mine --top 10
"""

app = typer.Typer(cls=ListByDefault, help=HELP)


@app.command("list")
def show_list() -> None:
    """The paper's rules in words; this is what happens without a command.

    Example: pitfalls rules
    """
    table = Table("rule", "words", box=SIMPLE_HEAD)
    graph = starter_graph()
    for rule in PAPER_RULES:
        table.add_row(str(rule), rule_in_words(rule, graph))
    Console(highlight=False).print(table)


@app.command()
def mine(
    source: Annotated[
        str, typer.Option("--from", help="starter, or a folder of triples and labels.")
    ] = STARTER,
    *,
    out: Annotated[
        Path | None, typer.Option(help="A file for all of them, which `build --rules` takes.")
    ] = None,
    support: Annotated[int, typer.Option(help="Least number of right predictions.")] = 20,
    head_coverage: Annotated[
        float, typer.Option(help="Least part of the head's facts that are predicted.")
    ] = 0.01,
    confidence: Annotated[
        float, typer.Option(help="Least part of the predictions that are right.")
    ] = 0.0,
    pca_confidence: Annotated[
        float, typer.Option(help="The same of those that the graph can judge.")
    ] = 0.1,
    seconds: Annotated[
        float | None, typer.Option(help="Begin nothing new after this time.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many of each sort to print.")] = 20,
) -> None:
    """Mine inverse, symmetric and composition rules, the best first.

    Example: pitfalls rules mine --top 10 --out rules.tsv
    """
    limits = Limits(
        support=support,
        head_coverage=head_coverage,
        confidence=confidence,
        pca_confidence=pca_confidence,
        seconds=seconds,
    )
    opened = open_source(source)
    mined = mine_rules(opened.graph, limits, progress=progress_on())
    _show(mined, opened, top)
    if out is not None:
        write_rules(out, mined.rules, opened.graph)
        print(f"{out}: {len(mined.rules)} rules")


def open_source(name: str) -> Sourced:
    """The graph of that name; lines of it that had to be left out are told on standard error."""
    opened = open_graph(name, progress=progress_on())
    for line in opened.bad.lines():
        print(line, file=sys.stderr)
    return opened


def _show(mined: Mined, opened: Sourced, top: int) -> None:
    console = Console(highlight=False)
    for sort in ("inverse", "symmetric", "composition"):
        found = mined.of(sort)
        title = f"{sort} rules, {min(top, len(found))} of {len(found)}"
        table = Table(*COLUMNS, box=SIMPLE_HEAD, title=title, title_justify="left")
        for each in found[:top]:
            table.add_row(*rule_row(each, opened.graph))
        console.print(table)
    if mined.left_out:
        print(f"out of time: not tried as tied relations: {' '.join(mined.left_out)}")

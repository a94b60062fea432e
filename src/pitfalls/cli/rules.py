"""`pitfalls rules`: which rules there are, and mining them from a graph."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.cases.order import PAPER_RULES
from pitfalls.cli.groups import Commands, ListByDefault
from pitfalls.cli.progress import progress_on
from pitfalls.cli.sources import SOURCE_HELP, open_source, tell_bad
from pitfalls.graph.graph import Graph, Predicate
from pitfalls.graph.sources import STARTER, find_store
from pitfalls.graph.starter import starter_graph
from pitfalls.graph.store import Store
from pitfalls.rules.files import COLUMNS, rule_in_words, rule_row, write_rules
from pitfalls.rules.mine import Limits, Mined
from pitfalls.rules.mine import mine as mine_rules

HELP = """List the paper's rules, and mine others from a graph.

Example: pitfalls rules mine --top 10
"""

app = Commands(cls=ListByDefault, help=HELP)


@app.command("list")
def show_list() -> None:
    """The paper's rules in words; this is what happens without a command.

    Example: pitfalls rules
    """
    table = Table("rule", "words", box=SIMPLE_HEAD)
    relations = starter_graph().predicates
    for rule in PAPER_RULES:
        table.add_row(str(rule), rule_in_words(rule, relations))
    Console(highlight=False).print(table)


@app.command()
def mine(
    source: Annotated[str, typer.Option("--from", help=SOURCE_HELP)] = STARTER,
    *,
    out: Annotated[
        Path | None, typer.Option(help="A file for all of them, which `build --rules` takes.")
    ] = None,
    support: Annotated[int, typer.Option(min=1, help="Least number of right predictions.")] = 20,
    head_coverage: Annotated[
        float, typer.Option(min=0, max=1, help="Least part of the head's facts that are predicted.")
    ] = 0.01,
    confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Least part of the predictions that are right.")
    ] = 0.0,
    pca_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="The same of those that the graph can judge.")
    ] = 0.1,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after this time, with what was found.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many of each sort to print.")] = 20,
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
    facts = _facts(source)
    mined = mine_rules(facts, limits, progress=progress_on())
    _show(mined, facts.predicates, top)
    if out is not None:
        write_rules(out, mined.rules, facts.predicates)
        print(f"{out}: {len(mined.rules)} rules")


def _facts(source: str) -> Graph | Store:
    """A store is mined where it lies, anything else in memory."""
    if (store := find_store(source)) is None:
        return open_source(source).graph
    tell_bad(store.bad)
    return store


def _show(mined: Mined, relations: Mapping[str, Predicate], top: int) -> None:
    console = Console(highlight=False)
    for sort in ("inverse", "symmetric", "composition"):
        found = mined.of(sort)
        title = f"{sort} rules, {min(top, len(found))} of {len(found)}"
        table = Table(*COLUMNS, box=SIMPLE_HEAD, title=title, title_justify="left")
        for each in found[:top]:
            table.add_row(*rule_row(each, relations))
        console.print(table)
    if not mined.inverse:
        print("out of time: inverse and symmetric rules were not counted")
    if mined.left_out:
        print(f"out of time: not tried as tied relations: {' '.join(mined.left_out)}")

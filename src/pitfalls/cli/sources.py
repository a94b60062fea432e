"""Graph of `--from`, which several commands take."""

import sys
from collections.abc import Collection

from pitfalls.cli.progress import progress_on
from pitfalls.graph.by_name import Sourced, open_graph
from pitfalls.graph.lines import BadLines
from pitfalls.graph.select import Select, read_selected

SOURCE_HELP = "starter, a store, or a folder of triples and labels."


def open_source(
    name: str, relations: Collection[str] | None = None, select: Select = read_selected
) -> Sourced:
    """Open the graph of that name; lines that were left out are told on standard error.

    Args:
        name: as after `--from`.
        relations: the relations that are needed; None for all.
        select: reads rows of the tables of a store.
    """
    opened = open_graph(name, relations=relations, select=select, progress=progress_on())
    tell_bad(opened.bad)
    return opened


def tell_bad(bad: BadLines) -> None:
    """Tell on standard error which lines a source left out."""
    for line in bad.lines():
        print(line, file=sys.stderr)

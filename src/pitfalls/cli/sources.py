"""`--from`: the graph that several commands take."""

import sys
from collections.abc import Collection

from pitfalls.cli.progress import progress_on
from pitfalls.graph.by_name import Sourced, open_graph
from pitfalls.graph.lines import BadLines

SOURCE_HELP = "starter, a store, or a folder of triples and labels."


def open_source(name: str, relations: Collection[str] | None = None) -> Sourced:
    """The graph of that name; lines of it that had to be left out are told on standard error.

    Args:
        name: as after `--from`.
        relations: those that are needed; None: all.
    """
    opened = open_graph(name, relations=relations, progress=progress_on())
    tell_bad(opened.bad)
    return opened


def tell_bad(bad: BadLines) -> None:
    """What a source had to leave out, on standard error."""
    for line in bad.lines():
        print(line, file=sys.stderr)

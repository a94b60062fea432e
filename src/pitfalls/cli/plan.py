"""Forecast of a run, as a table."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from pitfalls.cli.progress import span

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.bench.forecast import Forecast

GIB = 1 << 30


def forecast_table(forecast: "Forecast") -> RenderableType:
    """Edits, tokens and time of every editor, and of the whole run."""
    table = Table("editor", box=SIMPLE_HEAD, title="What this run takes, estimated")
    for head in ("cases", "edits", "forward tokens", "time"):
        table.add_column(head, justify="right")
    for line in forecast.lines:
        counts = (f"{line.cases:,}", f"{line.edits:,}", f"{line.tokens:,.0f}")
        table.add_row(line.editor, *counts, span(line.seconds))
    edits = sum(line.edits for line in forecast.lines)
    tokens = sum(line.tokens for line in forecast.lines)
    table.add_section()
    table.add_row("in all", "", f"{edits:,}", f"{tokens:,.0f}", span(forecast.seconds))
    memory = f"Memory at the peak: about {forecast.memory / GIB:.1f} GiB."
    return Group(table, memory, "Downloads and second moments, made once, come on top.")

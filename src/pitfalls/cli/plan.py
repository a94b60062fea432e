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
    taken = f"Weights in {forecast.dtype} on {forecast.device}{_room(forecast)}."
    return Group(table, memory, taken, "Downloads and second moments, made once, come on top.")


def _room(forecast: "Forecast") -> str:
    """Whether it fits, where that is known."""
    if forecast.room is None:
        return ""
    of = f"its {forecast.room / GIB:.1f} GiB of memory"
    return f": fits into {of}" if forecast.memory <= forecast.room else f": too large for {of}"

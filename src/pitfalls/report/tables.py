"""Scores as tables for the terminal, in the paper's two layouts."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.report.footnotes import SLIP, footnotes
from pitfalls.report.grid import Grid, has_interval, interval
from pitfalls.report.layout import (
    Cell,
    Column,
    ColumnGroup,
    Layout,
    Section,
    layouts,
    paper_sections,
    run_sections,
    used_groups,
)

_GAP = 2
"""Blanks between columns, one of them drawn by the box."""


def tables(scores: Sequence[Score], *, width: int) -> Group:
    """Everything the scores fill: conflict, distortion, the paper's rows, footnotes.

    Args:
        scores: of one preset, of any number of runs.
        width: columns of the terminal; where a table does not fit, its groups of columns are set
            one below the other.
    """

    def sections(groups: Sequence[ColumnGroup]) -> list[Section]:
        return [*run_sections(groups, scores), *paper_sections(groups, scores)]

    return _tables(scores, sections, width=width)


def brief_tables(scores: Sequence[Score], *, width: int) -> Group:
    """The same tables of a run that is not done yet: without the paper's rows and the footnotes.

    Args:
        scores: of one preset, of any number of runs.
        width: columns of the terminal.
    """

    def sections(groups: Sequence[ColumnGroup]) -> list[Section]:
        return run_sections(groups, scores)

    return _tables(scores, sections, width=width, noted=False)


def part_tables(parts: Mapping[str, Sequence[Score]], facet: str, *, width: int) -> Group:
    """The same tables with a section for every value of the facet, without the paper's rows.

    Args:
        parts: value → scores of its cases.
        facet: what the value is one of.
        width: columns of the terminal.
    """

    def sections(groups: Sequence[ColumnGroup]) -> list[Section]:
        return [
            replace(section, title=f"{facet}: {value} · {section.title}")
            for value, scores in parts.items()
            for section in run_sections(groups, scores)
        ]

    return _tables([one for scores in parts.values() for one in scores], sections, width=width)


Sections: TypeAlias = Callable[[Sequence[ColumnGroup]], list[Section]]
"""The sections of a table, one below the other, in some of its groups of columns."""


def _tables(
    scores: Sequence[Score], sections_of: Sections, *, width: int, noted: bool = True
) -> Group:
    filled = ((layout, used_groups(layout, scores)) for layout in layouts(scores))
    parts = []
    for layout, groups in filled:
        if groups:
            notes = [*footnotes(groups, scores)] if noted else []
            parts.append(_table(layout, groups, sections_of, notes, width=width))
    return Group(*parts)


def _table(
    layout: Layout,
    groups: Sequence[ColumnGroup],
    sections_of: Sections,
    notes: Sequence[str],
    *,
    width: int,
) -> RenderableType:
    widths = _widths(groups, sections_of(groups))
    parts: list[RenderableType] = [Text(layout.title, style="bold")]
    for band in _bands(groups, widths, width):
        sections = sections_of(band)
        for section in sections:
            body = _body(section, band, widths, with_head=section is sections[0])
            parts += [_heading(section), body, Text()]
    parts += [Text(note, style="dim") for note in notes]
    return Padding(Group(*parts), (0, 0, 1, 0))


def _bands(
    groups: Sequence[ColumnGroup], widths: dict[Column | None, int], width: int
) -> Iterator[Sequence[ColumnGroup]]:
    """The groups that fit side by side, then the next ones; at least one at a time."""
    band: list[ColumnGroup] = []
    for group in groups:
        columns = [column for member in [*band, group] for column in member.columns]
        needed = widths[None] + sum(widths[column] + _GAP for column in columns)
        if band and needed > width:
            yield band
            band = []
        band.append(group)
    yield band


def _widths(groups: Sequence[ColumnGroup], sections: Sequence[Section]) -> dict[Column | None, int]:
    """How wide each column is in every section, so that they stand below each other."""
    editors = [editor for section in sections for editor in section.rows]
    widths: dict[Column | None, int] = {None: max(map(len, [*editors, "editor"])) + _GAP}
    for group in groups:
        for column in group.columns:
            cells = [row[column] for s in sections for row in s.rows.values() if column in row]
            lines = [_head(group, column), *(_text(cell) for cell in cells)]
            widths[column] = max(len(part) for line in lines for part in line.plain.split("\n"))
    return widths


def _heading(section: Section) -> Text:
    style = "bold cyan" if section.comparable else "dim"
    return Text.assemble((section.title, style), (f"  {section.note}", "dim"))


def _body(
    section: Section,
    band: Sequence[ColumnGroup],
    widths: dict[Column | None, int],
    *,
    with_head: bool,
) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_header=with_head,
        show_edge=False,
        padding=(0, _GAP - 1, 0, 0),
        pad_edge=False,
        style="dim",
        row_styles=[] if section.comparable else ["dim"],
    )
    table.add_column("\neditor", width=widths[None], no_wrap=True)
    columns = [(group, column) for group in band for column in group.columns]
    for group, column in columns:
        table.add_column(_head(group, column), justify="right", width=widths[column], no_wrap=True)
    for editor, row in section.rows.items():
        cells = [_text(row[column]) if column in row else Text("") for _, column in columns]
        table.add_row(editor, *cells)
    return table


def _head(group: ColumnGroup, column: Column) -> Text:
    """The name of the group stands once, above its first column."""
    metric = METRICS[column[1]]
    above = group.title if column == group.columns[0] else ""
    return Text(f"{above}\n{metric.title} {'↑' if metric.increasing else '↓'}")


def _text(cell: Cell) -> Text:
    if not math.isfinite(cell.value):
        return Text("undefined" if math.isnan(cell.value) else f"{cell.value}")
    number = Text(f"{100 * cell.value:.2f}{SLIP if cell.doubtful else ''}")
    if not has_interval(cell):
        return number
    return Text.assemble(number, (f"\n{interval(cell)}", "dim"))


def plain_tables(grids: Sequence[Grid]) -> Group:
    """Tables that have no layout of the paper: comparisons."""
    parts: list[RenderableType] = []
    for grid in grids:
        parts.append(Text(grid.title, style="bold"))
        for block in grid.blocks:
            parts += [Text.assemble((block.title, "bold cyan"), (f"  {block.note}", "dim"))]
            table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, style="dim")
            for position, name in enumerate(grid.head):
                table.add_column(Text(name), justify="right" if position else "left")
            for row in block.rows:
                # The interval goes below its number, as in the paper's layout.
                table.add_row(*(Text(cell.replace(" [", "\n[")) for cell in row))
            parts += [table, Text()]
        parts += [Text(note, style="dim") for note in grid.notes]
    return Group(*parts)

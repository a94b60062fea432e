"""Tables in Markdown, as GitHub and MkDocs read it."""

from collections.abc import Iterator, Sequence

from pitfalls.report.grid import Grid


def markdown(grids: Sequence[Grid]) -> str:
    """Every table under a heading, its notes below it."""
    return "\n".join(line for grid in grids for line in _lines(grid))


def _lines(grid: Grid) -> Iterator[str]:
    yield f"## {grid.title}\n"
    for block in grid.blocks:
        yield f"**{_escaped(block.title)}** {_escaped(block.note)}".rstrip() + "\n"
        yield _row(_heads(grid))
        yield _row(["---", *["---:"] * (len(grid.head) - 1)])
        yield from map(_row, block.rows)
        yield ""
    yield from (f"{_escaped(note)}\n" for note in grid.notes)


def _heads(grid: Grid) -> list[str]:
    """Markdown has one line of headings, so each column names its group."""
    above = [title for title, span in grid.groups for _ in range(span)]
    below = grid.head[1:]
    if above:
        below = tuple(f"{title} {name}" for title, name in zip(above, below, strict=True))
    return [grid.head[0], *below]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")

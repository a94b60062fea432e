"""Tables as text cells, before any format draws them: Markdown, LaTeX and the page use these."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePath

from pitfalls.metrics.comparison import Comparison
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.report.footnotes import SLIP, footnotes
from pitfalls.report.layout import (
    Cell,
    ColumnGroup,
    Layout,
    Section,
    layouts,
    paper_sections,
    run_sections,
    used_groups,
)
from pitfalls.vocabulary import KIND_WORDS


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under a heading of their own."""

    title: str
    note: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. The first column names the row, all others hold numbers."""

    title: str
    groups: tuple[tuple[str, int], ...]
    """Headings over the columns behind the first, each with how many it spans; may be empty."""
    head: tuple[str, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]


def score_grids(scores: Sequence[Score]) -> list[Grid]:
    """The paper's two tables as far as the scores fill them, the paper's own rows below ours."""
    return [
        _layout_grid(layout, groups, scores)
        for layout in layouts(scores)
        if (groups := used_groups(layout, scores))
    ]


def comparison_grid(comparisons: Sequence[Comparison]) -> Grid:
    """One row a comparison, one block a data set."""
    blocks: dict[str, list[tuple[str, ...]]] = {}
    kinds = list(KIND_WORDS)
    names = _short([side for one in comparisons for side in (one.base, one.other)])
    for one in sorted(comparisons, key=lambda one: (kinds.index(one.kind), one.data)):
        blocks.setdefault(_place(one), []).append(_comparison_row(one, names))
    head = (
        "other − base",
        "metric",
        "n",
        "difference",
        "interval",
        "p",
        "p (Holm)",
        "visible from",
    )
    return Grid(
        title=f"Comparison by {comparisons[0].axis}" if comparisons else "Comparison",
        groups=(),
        head=head,
        blocks=tuple(Block(title, "", tuple(rows)) for title, rows in blocks.items()),
        notes=(
            "Differences × 100, on the cases that both sides have; in brackets the 95 % interval. "
            "p: two-sided permutation test, sides swapped by subject; Holm-corrected over all "
            f"{len(comparisons):,} rows. Visible from: the true difference that so many cases "
            "show four times out of five.",
        ),
    )


def breakdown_grids(broken: Mapping[str, Sequence[Score]], facet: str) -> list[Grid]:
    """The score tables with a block for every value of the facet, without the paper's rows."""
    everything = [score for scores in broken.values() for score in scores]
    grids = []
    for layout in layouts(everything):
        groups = used_groups(layout, everything)
        blocks = tuple(
            Block(f"{facet}: {value} · {section.title}", section.note, _rows(section, groups))
            for value, scores in broken.items()
            for section in run_sections(groups, scores)
        )
        if blocks:
            notes = tuple(note for note in footnotes(groups, everything) if SLIP not in note)
            grids.append(_grid(layout, groups, blocks, notes))
    return grids


def number(cell: Cell) -> str:
    """`81.25 [70, 92]`; × 100."""
    if not math.isfinite(cell.value):
        return "undefined" if math.isnan(cell.value) else f"{cell.value}"
    value = f"{100 * cell.value:.2f}{SLIP if cell.doubtful else ''}"
    return f"{value} {interval(cell)}" if has_interval(cell) else value


def has_interval(cell: Cell) -> bool:
    """False for the paper's numbers, which have none."""
    return not (math.isnan(cell.low) or cell.low == cell.high)


def interval(cell: Cell) -> str:
    """One decimal where the interval is narrow enough for it to mean something."""
    decimals = 1 if cell.high - cell.low < 0.05 else 0
    ends = (
        f"{round(100 * end, decimals) + 0.0:.{decimals}f}"  # no "-0"
        if math.isfinite(end)
        else ("∞" if end > 0 else "−∞")
        for end in (cell.low, cell.high)
    )
    return f"[{', '.join(ends)}]"


def _layout_grid(layout: Layout, groups: Sequence[ColumnGroup], scores: Sequence[Score]) -> Grid:
    sections = [*run_sections(groups, scores), *paper_sections(groups, scores)]
    blocks = tuple(Block(s.title, s.note, _rows(s, groups)) for s in sections)
    return _grid(layout, groups, blocks, tuple(footnotes(groups, scores)))


def _grid(
    layout: Layout, groups: Sequence[ColumnGroup], blocks: tuple[Block, ...], notes: tuple[str, ...]
) -> Grid:
    return Grid(
        title=layout.title,
        groups=tuple((group.title, len(group.metrics)) for group in groups),
        head=("editor", *_heads(groups)),
        blocks=blocks,
        notes=notes,
    )


def _heads(groups: Sequence[ColumnGroup]) -> Iterator[str]:
    for group in groups:
        for name in group.metrics:
            yield f"{METRICS[name].title} {'↑' if METRICS[name].increasing else '↓'}"


def _rows(section: Section, groups: Sequence[ColumnGroup]) -> tuple[tuple[str, ...], ...]:
    columns = [column for group in groups for column in group.columns]
    return tuple(
        (editor, *(number(row[column]) if column in row else "" for column in columns))
        for editor, row in section.rows.items()
    )


def _place(one: Comparison) -> str:
    sides = {"run": one.run, "model": one.model, "editor": one.editor}
    fixed = [name for axis, name in sides.items() if axis != one.axis]
    hidden = [one.run] if one.axis == "model" else []
    return " · ".join([*(name for name in fixed if name not in hidden), one.data])


def _short(names: Iterable[str]) -> dict[str, str]:
    """Each name without the folders that all of them begin with: runs are named by their paths."""
    parts = {name: PurePath(name).parts for name in names}
    levels = zip(*(each[:-1] for each in parts.values()), strict=False)
    n = len(list(takewhile(lambda level: len(set(level)) == 1, levels)))
    return {name: str(PurePath(*each[n:])) for name, each in parts.items()}


def _comparison_row(one: Comparison, names: Mapping[str, str]) -> tuple[str, ...]:
    cell = Cell(one.difference, one.low, one.high)
    return (
        f"{names[one.other]} − {names[one.base]}",
        METRICS[one.metric].title,
        f"{one.n:,}",
        f"{100 * one.difference + 0.0:+.2f}",
        interval(cell),
        p_value(one.p),
        p_value(one.p_holm),
        "" if math.isnan(one.detectable) else f"{100 * one.detectable:.1f}",
    )


def p_value(p: float) -> str:
    """Three decimals; 9,999 permutations do not tell more."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"

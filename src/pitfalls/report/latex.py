"""Tables in LaTeX, with the rules of booktabs."""

from collections.abc import Iterator, Mapping, Sequence

from pitfalls.report.grid import Block, Grid

_NEEDS = "% Needs \\usepackage{booktabs,graphicx}."
_TEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"\dag{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": r"$-$",
    "∞": r"$\infty$",
    "θ": r"$\theta$",
    "→": r"$\rightarrow$",
    "…": r"\ldots{}",
}
"""Characters that TeX takes for commands, and letters that an 8-bit font lacks."""


def latex(grids: Sequence[Grid]) -> str:
    """A `table` environment for each, to be read into a document that has the packages."""
    return "\n".join([_NEEDS, *(line for grid in grids for line in _lines(grid))]) + "\n"


def _lines(grid: Grid) -> Iterator[str]:
    yield "\\begin{table}\n\\centering"
    yield f"\\caption{{{_escaped(' '.join([grid.title + '.', *grid.notes]))}}}"
    yield "\\resizebox{\\textwidth}{!}{%"
    yield f"\\begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}\n\\toprule"
    yield from _group_heads(grid)
    yield _row(grid.head)
    for block in grid.blocks:
        yield from _block(block, len(grid.head))
    yield "\\bottomrule\n\\end{tabular}}\n\\end{table}"


def _group_heads(grid: Grid) -> Iterator[str]:
    if not grid.groups:
        return
    cells = [f"\\multicolumn{{{span}}}{{c}}{{{_escaped(title)}}}" for title, span in grid.groups]
    yield f" & {' & '.join(cells)} \\\\"
    start = 2
    for _, span in grid.groups:
        yield f"\\cmidrule(lr){{{start}-{start + span - 1}}}"
        start += span


def _block(block: Block, width: int) -> Iterator[str]:
    title = _escaped(f"{block.title}  {block.note}".rstrip())
    yield "\\midrule"
    yield f"\\multicolumn{{{width}}}{{l}}{{\\emph{{{title}}}}} \\\\"
    yield from map(_row, block.rows)


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(_escaped, cells))} \\\\"


def _escaped(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)

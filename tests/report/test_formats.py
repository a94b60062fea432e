"""The same tables in Markdown, LaTeX, CSV and Parquet."""

import io
import math
import shutil
import subprocess
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from test_score_tables import full_table, one

from pitfalls.metrics.comparison import Comparison
from pitfalls.report.grid import breakdown_grids, comparison_grid, score_grids
from pitfalls.report.latex import latex
from pitfalls.report.markdown import markdown
from pitfalls.report.tidy import as_csv, as_parquet, comparison_table, paper_value, score_table


def difference(**changes: object) -> Comparison:
    values: dict[str, object] = {
        "axis": "editor",
        "base": "rome",
        "other": "ft_x",
        "run": "runs/a",
        "model": "m",
        "editor": "ft_x",
        "data": "starter:conflict/coverage",
        "kind": "coverage",
        "metric": "cs",
        "preset": "authors",
        "n": 60,
        "subjects": 60,
        "difference": -0.25,
        "low": -0.4,
        "high": -0.1,
        "p": 0.0002,
        "p_holm": 0.02,
        "detectable": 0.21,
    }
    return Comparison(**(values | changes))


def test_markdown_has_the_papers_rows_below_ours() -> None:
    lines = markdown(score_grids([one(), one(editor="memit")])).splitlines()
    assert lines[0] == "## Knowledge conflict"
    start = lines.index("| editor | Coverage CS ↑ |")
    assert lines[start + 1 : start + 3] == ["| --- | ---: |", "| rome | 81.25 [70, 92] |"]
    assert any(line.startswith("**paper, GPT2-XL**") for line in lines)


def test_markdown_rows_have_as_many_cells_as_the_heading() -> None:
    bars = {line.count(" | ") for line in markdown(score_grids(full_table())).splitlines()} - {0}
    assert bars == {10}


def test_a_bar_in_a_name_ends_no_cell() -> None:
    assert r"a\|b" in markdown(score_grids([one(model="a|b")]))


def test_latex_has_the_rules_of_booktabs_and_no_bare_command() -> None:
    text = latex(score_grids(full_table(("rome", "my_editor"))))
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert r"my\_editor" in text and r"$\uparrow$" in text and r"95 \%" in text
    assert r"\multicolumn{3}{c}{Coverage}" in text and r"\cmidrule(lr){2-4}" in text
    rows = [line for line in text.splitlines() if line.startswith("rome &")]
    assert [row.count("&") for row in rows] == [10] * 3, "ours and the paper's two models"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(tmp_path: Path) -> None:
    grids = [
        *score_grids(full_table(("mend", "ft", "my_editor"))),
        comparison_grid([difference()]),
    ]
    document = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs,graphicx}"
        f"\\begin{{document}}\n{latex(grids)}\\end{{document}}\n"
    )
    (tmp_path / "a.tex").write_text(document, "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in done.stdout


def test_tidy_rows_carry_the_papers_number_where_it_is_the_same_experiment() -> None:
    same = one(model="gpt2-xl", data="released-gpt2-xl:conflict/coverage", editor="ft-norm")
    assert paper_value(same) == pytest.approx(0.7888)
    assert paper_value(one()) is None
    assert score_table([same, one()])["paper"].to_pylist() == [pytest.approx(0.7888), None]


def test_csv_and_parquet_hold_what_the_scores_say() -> None:
    scores = [one(), one(value=math.nan, low=math.nan, high=math.nan, guard_reasons={"x": 2})]
    table = score_table(scores, rule=["a", "b"])
    for back in (
        pa_csv.read_csv(io.BytesIO(as_csv(table).encode())),
        pq.read_table(io.BytesIO(as_parquet(table))),
    ):
        assert back["value"].to_pylist() == [0.8125, None]
        assert back["rule"].to_pylist() == ["a", "b"]
        assert back["guard_reasons"].to_pylist()[1] == '{"x": 2}'


def test_comparisons_as_rows_and_as_a_table() -> None:
    table = comparison_table([difference(), difference(detectable=math.nan)])
    assert table["detectable"].to_pylist() == [0.21, None]
    [block] = comparison_grid([difference()]).blocks
    assert block.title == "runs/a · m · starter:conflict/coverage"
    assert block.rows == (
        ("ft_x − rome", "CS", "60", "-25.00", "[-40, -10]", "<0.001", "0.020", "21.0"),
    )


@pytest.mark.parametrize(
    "base, other, told",
    [
        ("runs/a", "runs/b", "b − a"),
        ("/x/runs/one/a", "/x/runs/two/a", "two/a − one/a"),
        ("a", "/x/a", "/x/a − a"),
        ("a", "b", "b − a"),
        ("runs", "runs/b", "runs/b − runs"),
    ],
)
def test_runs_are_told_apart_by_what_differs_in_their_paths(
    base: str, other: str, told: str
) -> None:
    runs = difference(axis="run", base=base, other=other)
    [block] = comparison_grid([runs]).blocks
    assert block.rows[0][0] == told


def test_a_breakdown_has_a_block_for_every_part() -> None:
    [grid] = breakdown_grids({"P22": [one(n=3)], "P40": [one(n=5)]}, "relation")
    assert [block.title for block in grid.blocks] == [
        "relation: P22 · smollm2-135m · starter",
        "relation: P40 · smollm2-135m · starter",
    ]


def test_a_breakdown_says_nothing_of_rows_that_it_has_not() -> None:
    slip = one(editor="mend", kind="reverse", metric="cs_exp")
    [grid] = breakdown_grids({"P22": [slip]}, "relation")
    assert not any("As printed" in note for note in grid.notes)


def test_an_open_interval_is_told() -> None:
    assert "81.25 [−∞, 92]" in markdown(score_grids([one(low=-math.inf)]))


def test_comparisons_come_in_the_papers_order() -> None:
    late = difference(kind="round-easy", data="round/easy", metric="ir")
    blocks = comparison_grid([late, difference()]).blocks
    assert [block.title.split(" · ")[-1] for block in blocks] == [
        "starter:conflict/coverage",
        "round/easy",
    ]

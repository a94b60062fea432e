"""Tables: the paper's layout, honest intervals, comparisons marked for what they are."""

import io
import math
import re

import pytest
from rich.console import Console, Group

from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.report.layout import LAYOUTS, collection_of, in_order
from pitfalls.report.paper import paper_editors, paper_models
from pitfalls.report.tables import part_tables, tables
from pitfalls.vocabulary import DATASETS, ROUND_KINDS

CONFLICT_COLUMNS = (
    ("coverage", "succ_single"),
    ("coverage", "cs"),
    ("coverage", "cm"),
    ("reverse", "cs_exp"),
    ("reverse", "cs_imp"),
    ("reverse", "cm"),
    ("composite", "cs_exp"),
    ("composite", "cs_imp"),
    ("composite", "cm"),
    ("composite", "tfd"),
)


def one(**changes: object) -> Score:
    values: dict[str, object] = {
        "run": "runs/a",
        "model": "smollm2-135m",
        "editor": "rome",
        "data": "starter:conflict/coverage",
        "kind": "coverage",
        "metric": "cs",
        "preset": "authors",
        "n": 40,
        "guarded": 0,
        "failed": 0,
        "value": 0.8125,
        "low": 0.7,
        "high": 0.925,
        "guard_reasons": {},
        "failure_reasons": {},
    }
    return Score(**(values | changes))


def full_table(editors: tuple[str, ...] = ("memit", "rome", "ft")) -> list[Score]:
    data = {kind: name for name, kind in DATASETS.items()}
    return [
        one(editor=editor, kind=kind, metric=metric, data=f"starter:{data[kind]}", low=-0.3)
        for editor in editors
        for kind, metric in CONFLICT_COLUMNS
    ]


def drawn(scores: list[Score], width: int = 120) -> str:
    return shown(tables(scores, width=width), width)


def shown(what: Group, width: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(what)
    return stream.getvalue()


def test_one_editor() -> None:
    lines = [line.rstrip() for line in drawn([one()]).splitlines()]
    assert lines[:6] == [
        "Knowledge conflict",
        "smollm2-135m · starter  n = 40 coverage",
        "          Coverage",
        "editor        CS ↑",
        "──────────────────",
        "rome         81.25",
    ]
    assert lines[6] == "          [70, 92]"


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width: int) -> None:
    text = drawn(full_table(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("81.25") == 3 * len(CONFLICT_COLUMNS)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_parts_of_the_cases_stand_below_each_other_as_wide_as_the_terminal(width: int) -> None:
    parts = {"1": full_table(), "2": full_table()}
    text = shown(part_tables(parts, "objects", width=width), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("81.25") == 2 * 3 * len(CONFLICT_COLUMNS)
    assert "objects: 1 · smollm2-135m" in text
    assert "paper" not in text, "its rows are not of parts"


def test_the_whole_table_stands_side_by_side_at_120_columns() -> None:
    heads = [line for line in drawn(full_table()).splitlines() if line.startswith("editor")]
    assert len(heads) == 1
    assert heads[0].rstrip().endswith("TFD ↓")


def test_groups_stand_below_each_other_in_a_narrow_terminal() -> None:
    lines = drawn(full_table(), 60).splitlines()
    assert [line.strip() for line in lines if line.strip() in ("Coverage", "Reverse", "Composite")]
    assert sum(line.startswith("editor") for line in lines) == 3


def test_editors_come_in_the_papers_order_and_strangers_last() -> None:
    lines = drawn([one(editor=name) for name in ("zzz", "memit", "ft-norm", "rome")]).splitlines()
    ours = lines[: lines.index(next(line for line in lines if line.startswith("paper")))]
    names = [line.split()[0] for line in ours if "81.25" in line]
    assert names == ["ft-norm", "rome", "memit", "zzz"]


def test_the_papers_rows_are_those_of_the_same_editors() -> None:
    lines = drawn([one(editor="ft-norm")]).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("paper, GPT2-XL"))
    assert lines[start].split() == ["paper,", "GPT2-XL", "other", "model", "and", "data"]
    assert lines[start + 1].split() == ["ft", "78.88"]
    assert "GPT-J" in lines[start + 3]


@pytest.mark.parametrize(
    ("model", "data", "matches"),
    [
        ("gpt2-xl", "released-gpt2-xl:conflict/coverage", ["GPT2-XL"]),
        ("EleutherAI/gpt-j-6B", "released-gpt-j:conflict/coverage", ["GPT-J"]),
        ("gpt2-xl", "released-gpt-j:conflict/coverage", []),
        ("gpt2-xl", "starter:conflict/coverage", []),
        ("gpt2", "released-gpt2-xl:conflict/coverage", []),
    ],
)
def test_only_the_same_model_and_data_count_as_the_papers_experiment(
    model: str, data: str, matches: list[str]
) -> None:
    lines = drawn([one(model=model, data=data)]).splitlines()
    marked = [line.split()[1] for line in lines if "same model and data" in line]
    assert marked == matches


def test_the_papers_impossible_numbers_are_marked() -> None:
    assert "88.89†" in drawn([one(editor="mend", kind="reverse", metric="cs_exp")])
    text = drawn([one(editor="ft", kind="round-hard", metric="fr", data="x:round/hard")])
    assert "80.82†" in text and "† As printed" in text
    assert "†" not in drawn([one(editor="rome", kind="reverse", metric="cs_exp")])


def test_an_undefined_value_is_told_and_explained() -> None:
    nothing = {"value": math.nan, "low": math.nan, "high": math.nan}
    text = drawn([one(metric="cm", guarded=2, guard_reasons={"p_θm(k_o) is 0": 2}, **nothing)])
    assert "undefined" in text
    assert "rome: p_θm(k_o) is 0 in coverage CM (2); the published code keeps" in text


def test_failures_are_told_once_for_all_metrics_of_an_editor() -> None:
    failed = {"failed": 3, "failure_reasons": {"non-finite loss": 2, "too long": 1}}
    text = drawn([one(**failed), one(metric="cm", **failed)])
    expected = "rome: failed and left out in coverage (3) (non-finite loss; and 1 other reasons)."
    assert text.count(expected) == 1


def test_notes_name_the_section_where_there_are_several() -> None:
    guarded = {"guarded": 1, "guard_reasons": {"because": 1}}
    text = drawn([one(**guarded), one(model="gemma3-270m")])
    assert "smollm2-135m · starter, rome: because in coverage CS (1)" in text


def test_two_runs_of_one_model_and_collection_are_told_apart() -> None:
    text = drawn([one(), one(run="runs/b")])
    assert "smollm2-135m · starter · runs/a" in text
    assert "smollm2-135m · starter · runs/b" in text


def test_counts_of_cases_are_spans_where_they_differ() -> None:
    assert "n = 38 to 2,500 coverage" in drawn([one(n=38), one(metric="cm", n=2500)])


def test_the_undivided_cs_gives_way_where_its_parts_are_known() -> None:
    both = [one(kind="reverse", metric=metric) for metric in ("cs", "cs_exp")]
    assert "CS ↑" not in drawn(both)
    assert "CS ↑" in drawn(both[:1])


def test_no_interval_where_all_cases_agree_and_no_negative_zero() -> None:
    assert "[" not in drawn([one(value=1.0, low=1.0, high=1.0)]).split("Values")[0]
    assert "[0, 92]" in drawn([one(low=-1e-9)])


def test_every_number_of_the_paper_has_a_column() -> None:
    columns = {c for layout in LAYOUTS for group in layout.groups for c in group.columns}
    for model in paper_models():
        assert {(number.kind, number.metric) for number in model.numbers} <= columns
        assert len(model.numbers) == 4 * 10 + 5 * 8
        assert {number.editor for number in model.numbers} == set(paper_editors().values())
    assert sum(number.impossible for model in paper_models() for number in model.numbers) == 2


@pytest.mark.parametrize(
    ("data", "collection"),
    [
        ("starter:round/easy", "starter"),
        ("round/easy", ""),
        ("my/cases.jsonl", "my/cases.jsonl"),
        ("C:/cases.jsonl", "C:/cases.jsonl"),
    ],
)
def test_collections(data: str, collection: str) -> None:
    assert collection_of(data) == collection


def test_what_agreeing_cases_leave_open_is_drawn() -> None:
    assert "[94, 100]" in drawn([one(value=1.0, low=0.94, high=1.0, agree=True)])


def test_a_footnote_says_what_so_many_cases_can_show() -> None:
    text = " ".join(drawn([one(subjects=60)]).split())
    assert "With 60 independent cases, a share near one half is known to ± 13 points" in text
    text = " ".join(drawn([one(subjects=60), one(metric="cm", subjects=2500)]).split())
    assert (
        "With 60 to 2,500 independent cases, a share near one half is known to ± 2-13 points"
        in text
    )


def rounds(*editors: str) -> list[Score]:
    """Every clean metric of both kinds of round trip."""
    return [
        one(
            editor=editor,
            kind=kind,
            metric=metric.name,
            preset="clean",
            data=f"starter:{data}",
            low=-0.3,
            reference=editor == "undo",
        )
        for data, kind in DATASETS.items()
        for metric in METRICS.values()
        if kind in ROUND_KINDS and kind in metric.kinds
        for editor in editors
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_all_round_trip_columns_fit_and_undo_stands_below_the_editors(width: int) -> None:
    text = drawn(rounds("undo", "zzz", "memit+mle"), width)
    assert max(map(len, text.splitlines())) <= width and "…" not in text
    ours = text.split("paper,", maxsplit=1)[0].splitlines()
    names = [line.split()[0] for line in ours if "81.25" in line]
    assert names[:3] == ["memit+mle", "zzz", "undo"]
    assert "n = 40 easy, 40 hard\n" in re.sub(" +\n", "\n", drawn(rounds("undo"), 240))


def test_undo_is_explained_where_it_stands_and_only_there() -> None:
    assert "undo: an edit that took" in " ".join(drawn(rounds("memit", "undo")).split())
    assert "undo" not in drawn(rounds("memit"))
    both = drawn([*full_table(), *rounds("undo")])
    conflict, _ = both.split("Knowledge distortion")
    assert "undo" not in conflict


def test_in_order_puts_what_editors_are_held_against_last() -> None:
    listed = in_order(rounds("undo", "zzz", "memit"))
    assert [each.editor for each in listed if each.metric == "d"] == ["memit", "zzz", "undo"] * 2

"""Kinds of any number of edits go from a plan to a table, by the rows that CONTRIBUTING names."""

from pathlib import Path

import pytest
from own_kinds import CHAIN, KEPT, SINGLE, WORDS, chains, singles

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.forecast import forecast
from pitfalls.cases.audit import audit
from pitfalls.cases.build import build_cases
from pitfalls.cases.case import Case
from pitfalls.cases.case_file import read_cases, write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.cases.export import write_authors
from pitfalls.cases.in_words import in_words
from pitfalls.cases.kinds.table import KINDS
from pitfalls.cases.plan import plan
from pitfalls.cases.steps import Plan, Probe
from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.metrics.breakdown import FACETS
from pitfalls.metrics.scores import score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import observe_run
from pitfalls.report.explorer import explorer
from pitfalls.report.grid import score_grids
from pitfalls.report.html import html_report
from pitfalls.vocabulary import KIND_WORDS


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in the tables, and nothing else."""
    for name, kind in (("chain", CHAIN), ("single", SINGLE)):
        monkeypatch.setitem(KINDS, name, kind)
        monkeypatch.setitem(KIND_WORDS, name, WORDS[name])
    monkeypatch.setitem(METRICS, "kept", KEPT)


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, str]:
    """Files of both kinds."""
    files = (tmp_path / "chain.jsonl", tmp_path / "single.jsonl")
    for file, cases in zip(files, (chains(3), singles(3)), strict=True):
        write_cases(file, cases)
    return str(files[0]), str(files[1])


@pytest.fixture
def experiment(tiny_folder: Path, data: tuple[str, str]) -> Experiment:
    settings = {"ft": {"layer": 2, "steps": 3, "lr": 5e-3}}
    return Experiment(model=str(tiny_folder), editors=("ft",), data=data, settings=settings)


@pytest.mark.parametrize("cases", [chains(3), singles(3)], ids=["chain", "single"])
def test_a_file_gives_back_cases_of_any_number_of_edits(cases: list[Case], tmp_path: Path) -> None:
    write_cases(tmp_path / "cases.jsonl", cases)
    assert read_cases(tmp_path / "cases.jsonl") == cases
    assert load_cases(str(tmp_path / "cases.jsonl")) == cases


def test_every_state_and_probe_is_recorded(experiment: Experiment, tmp_path: Path) -> None:
    records = list(run(experiment, tmp_path / "run").records())
    cases = {case.id: case for case in (*chains(3), *singles(3))}
    assert len(records) == 6 and not any(record.failure for record in records)
    for record in records:
        of_kind = chains if record.kind == "chain" else singles
        (case,) = (one for one in of_kind(3) if one.id == record.case_id)
        assert case.id in cases
        steps = plan(case)
        wanted = [(state, probe.name) for state in steps.states for probe in steps.probes[state]]
        assert [(one.state, one.probe) for one in record.readings] == wanted
        assert [fit.state for fit in record.fits] == list(steps.edited)


def test_each_step_builds_on_the_one_before(experiment: Experiment, tmp_path: Path) -> None:
    for case in observe_run(run(experiment, tmp_path / "run")):
        if case.source.kind == "chain":
            assert case.p("after one", "said/0") > case.p("start", "said/0")
            assert case.p("after three", "said/2") != case.p("at once", "said/2")
            assert len(case.numbered("start", "said")) == 3
        else:
            assert case.p("edited", "said") > case.p("start", "said")


def test_a_metric_of_the_kind_has_a_row_in_the_tables(
    experiment: Experiment, tmp_path: Path
) -> None:
    directory = run(experiment, tmp_path / "run")
    cases = list(observe_run(directory))
    (one,) = score(cases)
    assert (one.kind, one.metric, one.n) == ("chain", "kept", 3)
    assert one.value == sum(KEPT.value(c, "clean") for c in cases if c.source.kind == "chain") / 3
    (grid,) = score_grids([one])
    assert grid.groups == (("Chain", 1),) and grid.head == ("editor", "Kept ↑")
    assert [row[0] for block in grid.blocks for row in block.rows] == ["ft"]
    told = explorer(cases, {str(directory.path): directory.header}, preset="clean", most=99)
    assert told["states"][-5:] == ["start", "after one", "after three", "at once", "edited"]
    assert told["main"]["chain"] == "kept" and len(told["cases"]) == 6
    assert {len(case["edits"]) for case in told["cases"]} == {1, 3}
    assert "said/2" in told["cases"][0]["targets"]


def test_a_page_is_made(experiment: Experiment, tmp_path: Path) -> None:
    run(experiment, tmp_path / "run")
    page = html_report([tmp_path / "run"])
    assert "three edits in a row" in page and "Other kinds of case" in page


def test_parts_of_the_cases_can_be_scored(experiment: Experiment, tmp_path: Path) -> None:
    for case in observe_run(run(experiment, tmp_path / "run")):
        found = {name: facet(case) for name, facet in FACETS.items()}
        assert found["degenerate"] == "sound"
        assert found["relation"].startswith("P")
        assert int(found["target-tokens"]) > 0
        assert (found["known"] == "not read") == (case.source.kind == "single")


def test_a_run_is_forecast_and_resumed(experiment: Experiment, tmp_path: Path) -> None:
    unedited, ft = forecast(experiment).lines
    assert (unedited.cases, ft.cases) == (6, 6)
    assert ft.edits == 3 * (3 + 3) + 3  # together once more, and one alone
    whole = run(experiment, tmp_path / "run")
    before = {part: whole.table(part).drop_columns("seconds") for part in whole.parts()}
    (whole.path / "records" / f"{whole.parts()[0]}.parquet").unlink()
    again = run(experiment, whole.path)
    assert all(again.table(part).drop_columns("seconds").equals(before[part]) for part in before)


def test_cases_are_told_and_audited() -> None:
    chain, single = chains(1)[0], singles(1)[0]
    rows = dict(in_words(chain))
    assert {"first edit", "second edit", "third edit", "read: said/2"} <= rows.keys()
    assert dict(in_words(single)).keys() >= {"first edit", "read: said"}
    assert audit([single]) == []
    assert audit([chain]) == []


def test_no_form_of_the_authors_and_no_recipe_is_needed(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match="the authors' files have no form for chain cases"):
        write_authors(tmp_path, chains(1))
    with pytest.raises(PitfallsError, match="no recipe makes single cases out of a graph"):
        build_cases(starter_graph(), "single", count=1)


def test_a_pair_is_asked_for_where_there_is_none() -> None:
    with pytest.raises(PitfallsError, match="has 3 edits, expected a pair"):
        _ = chains(1)[0].second


def test_a_case_without_edits_and_a_plan_that_cannot_be_carried_out_are_refused() -> None:
    with pytest.raises(PitfallsError, match="case a has no edits"):
        Case("a", "chain", ())
    with pytest.raises(PitfallsError, match="names no states"):
        Plan({}, {})
    probe = Probe("said", singles(1)[0].first.after)
    with pytest.raises(PitfallsError, match="has probes for lost, expected its states start"):
        Plan({"start": ()}, {"lost": (probe,)})

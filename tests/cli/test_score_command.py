"""`pitfalls score`, from run directories and from the authors' result files."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from pitfalls.cli.score import score
from pitfalls.errors import PitfallsError
from pitfalls.records.header import ModelInfo, RunHeader
from pitfalls.records.record import Reading, Record
from pitfalls.records.run_directory import RunDirectory, part_name

APP = typer.Typer()
APP.command()(score)
DATA = "starter:conflict/coverage"


ROUND = "starter:round/easy"


def make_run(path: Path, *, records: int = 3, rounds: int = 0) -> Path:
    model = ModelInfo(name="tiny", fingerprint="f", dtype="float32")
    header = RunHeader(created="", config={}, seed=0, model=model, editors={}, data={}, packages={})
    run = RunDirectory.open(path, header)
    readings = tuple(
        Reading(state, probe, "x", ((-float(i + j + 1),),))
        for i, state in enumerate(("theta0", "theta_m", "theta_prime", "theta2"))
        for j, probe in enumerate(("new_explicit", "old", "true"))
    )
    rows = [
        Record(f"coverage-{i}", "rome", DATA, "coverage", {}, readings, ()) for i in range(records)
    ]
    if rows:
        run.write(part_name(DATA, "rome", 0), rows)
    trips = [
        Record(f"round-{i}", "rome", ROUND, "round-easy", {}, _trip(i), ()) for i in range(rounds)
    ]
    if trips:
        run.write(part_name(ROUND, "rome", 0), trips)
    return path


def _trip(position: int) -> tuple[Reading, ...]:
    """The unedited model prefers o1 in every other case."""
    return tuple(
        Reading(state, probe, "x", ((-float(1 + (i + j + position) % 2),),))
        for i, state in enumerate(("theta0", "theta_m", "theta_prime"))
        for j, probe in enumerate(("original", "intermediate", "other/0"))
    )


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(APP, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    with pytest.raises(PitfallsError) as error:
        CliRunner().invoke(APP, arguments, catch_exceptions=False)
    return str(error.value)


def test_json_has_what_other_programs_build_on(tmp_path: Path) -> None:
    rows = json.loads(printed(str(make_run(tmp_path / "a")), "--json"))
    assert [row["metric"] for row in rows] == ["succ_single", "cs", "cm"]
    for row in rows:
        assert row["model"] == "tiny" and row["editor"] == "rome" and row["data"] == DATA
        assert row["preset"] == "authors" and row["n"] == 3
        assert row["low"] <= row["value"] <= row["high"] <= 1


@pytest.mark.parametrize("style", ["terminal", "markdown", "latex", "csv", "json"])
def test_every_format_has_the_reference_of_round_trips(tmp_path: Path, style: str) -> None:
    run = str(make_run(tmp_path / "a", rounds=4))
    assert "undo" in printed(run, "--format", style)
    assert "undo" not in printed(str(make_run(tmp_path / "b")), "--format", style)


def test_undo_has_all_that_other_programs_build_on(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a", rounds=4))
    rows = json.loads(printed(run, "--json"))
    undo = [row for row in rows if row["reference"]]
    assert [(row["metric"], row["value"]) for row in undo] == [
        ("succ_round", 0.75),
        ("d", 0),
        ("ir", 0),
        ("fr", 0),
    ]
    contract = {"model", "editor", "data", "metric", "preset", "n", "value", "low", "high"}
    for row in undo:
        assert contract <= {key for key, value in row.items() if value is not None}
        assert (row["editor"], row["data"], row["n"]) == ("undo", ROUND, 4)
    parts = json.loads(printed(run, "--by", "known", "--json"))
    succ = {r["known"]: r["value"] for r in parts if r["reference"] and r["metric"] == "succ_round"}
    assert succ == {"yes": 1.0, "no": 0.5}
    pairs = json.loads(printed(run, "--compare", "editor", "--base", "undo", "--json"))
    assert {(row["other"], row["base"]) for row in pairs} == {("rome", "undo")}


def test_the_clean_preset(tmp_path: Path) -> None:
    rows = json.loads(printed(str(make_run(tmp_path / "a")), "--preset", "clean", "--json"))
    assert {row["preset"] for row in rows} == {"clean"}


def test_several_runs_make_one_table(tmp_path: Path) -> None:
    text = printed(str(make_run(tmp_path / "a")), str(make_run(tmp_path / "b")))
    assert text.count("Knowledge conflict") == 1
    assert text.count("tiny · starter · ") == 2


def test_runs_and_authors_results_side_by_side(tmp_path: Path) -> None:
    p = {"rewrite": 0.5, "generation": [0.25]}
    record = dict.fromkeys(("CS_pre", "CS_post", "CM_pre", "CM_post"), p)
    file = tmp_path / "GPT-J" / "conflict_results" / "FT_reverse.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps([record]))
    arguments = (str(make_run(tmp_path / "a")), "--authors-results", str(tmp_path / "GPT-J"))
    rows = json.loads(printed(*arguments, "--json"))
    assert [(row["model"], row["editor"], row["metric"]) for row in rows[3:]] == [
        ("GPT-J", "ft", "cs"),
        ("GPT-J", "ft", "cm"),
    ]


def test_mistakes_are_told(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a"))
    empty = str(make_run(tmp_path / "b", records=0))
    assert "nothing to score: give run directories" in refused()
    assert "did you mean 'clean'?" in refused(run, "--preset", "claen")
    assert "no run in" in refused(str(tmp_path / "nowhere"))
    assert "has no records yet" in refused(empty)
    assert "no result files in" in refused("--authors-results", str(tmp_path))


def test_help_has_an_example() -> None:
    assert "Example: pitfalls score" in printed("--help")


def test_scoring_needs_no_torch() -> None:
    code = "import sys, pitfalls.cli.score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_format_says_the_same(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a"))
    assert "| editor | Coverage Succ ↑ |" in printed(run, "--format", "markdown")
    assert "\\toprule" in printed(run, "--format", "latex")
    assert len(printed(run, "--format", "csv").splitlines()) == 1 + 3
    assert json.loads(printed(run, "--format", "json")) == json.loads(printed(run, "--json"))
    out = tmp_path / "scores.parquet"
    printed(run, "--format", "parquet", "--out", str(out))
    assert pq.read_table(out).num_rows == 3
    text = tmp_path / "scores.txt"
    assert printed(run, "--out", str(text)) == ""
    assert "Knowledge conflict" in text.read_text("utf-8")


def test_parts_and_differences(tmp_path: Path) -> None:
    runs = [str(make_run(tmp_path / "a")), str(make_run(tmp_path / "b"))]
    rows = json.loads(printed(*runs, "--by", "target-tokens", "--json"))
    assert {row["target-tokens"] for row in rows} == {"1"} and len(rows) == 6
    rows = json.loads(printed(*runs, "--compare", "run", "--base", runs[1], "--json"))
    assert {(row["base"], row["other"], row["p"]) for row in rows} == {(runs[1], runs[0], 1.0)}
    text = printed(*runs, "--compare", "run")
    assert "Comparison by run" in text and "1.000" in text


def test_a_condition_that_holds_ends_with_status_1(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a"))
    arguments = [run, "--fail-if", "rome:cm > 0.5", "--by", "rule"]
    result = CliRunner().invoke(APP, arguments, catch_exceptions=False)
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("pitfalls: rome:cm > 0.5 holds: tiny, rome, starter:conflict/coverage")
    assert "Knowledge conflict" in result.stdout, "the table is printed all the same"
    printed(run, "--fail-if", "rome:cm > 0.999")


def test_a_run_given_twice_is_scored_once(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a"))
    assert printed(run, run, "--json") == printed(run, "--json")


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "a"))
    assert "did you mean 'latex'?" in refused(run, "--format", "latx")
    assert "did you mean 'rule'?" in refused(run, "--by", "rul")
    assert "unknown comparison 'seed'" in refused(run, "--compare", "seed")
    assert "nothing to compare: needs two editors" in refused(run, "--compare", "editor")
    assert "ask for one at a time" in refused(run, "--by", "rule", "--compare", "run")
    assert "give --compare too" in refused(run, "--base", "rome")
    assert "two formats" in refused(run, "--json", "--format", "csv")
    assert "is no condition" in refused(run, "--fail-if", "ir")


def test_parts_are_drawn_with_what_they_are_parts_by(tmp_path: Path) -> None:
    text = printed(str(make_run(tmp_path / "a")), "--by", "degenerate")
    assert "degenerate: not known · tiny · starter" in text


def test_parquet_goes_down_a_pipe_but_not_to_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = str(make_run(tmp_path / "a"))
    result = CliRunner().invoke(APP, [run, "--format", "parquet"], catch_exceptions=False)
    assert pq.read_table(io.BytesIO(result.stdout_bytes)).num_rows == 3
    monkeypatch.setattr("pitfalls.cli.output.is_terminal", lambda: True)
    assert "give --out FILE.parquet" in refused(run, "--format", "parquet")

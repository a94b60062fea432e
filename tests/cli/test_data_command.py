"""`pitfalls data` and `pitfalls build`, as a user types them."""

import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pitfalls.cases.collections import load_cases
from pitfalls.cli import data
from pitfalls.cli.build import build
from pitfalls.errors import PitfallsError

SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[2] / ".." / "shared"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")


def pitfalls(*words: str) -> str:
    """Output of the command; a mistake of the user is raised."""
    app = typer.Typer()
    app.add_typer(data.app, name="data")
    app.command()(build)
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_names_every_set_with_licence_and_source() -> None:
    output = pitfalls("data", "list")
    assert output == pitfalls("data")
    assert output.count("conflict/reverse") == 4
    assert "released-gpt-j: MIT, https://github.com/zjunlp/PitfallsKnowledgeEditing" in output


def test_a_case_is_shown_in_words() -> None:
    output = pitfalls("data", "show", "conflict/composite", "--index", "3")
    case = load_cases("conflict/composite")[3]
    for text in (case.id, case.rule, str(case.second.subject.label), "new_implicit", "tied"):
        assert str(text) in output
    assert "true before" in pitfalls("data", "show", "round/easy")
    with pytest.raises(PitfallsError, match="has cases 0 to 99, asked for 100"):
        pitfalls("data", "show", "round/easy", "--index", "100")


def test_anomalies_are_counted_as_a_table_and_as_json() -> None:
    assert "no-op-edit" in pitfalls("data", "audit", "conflict/coverage")
    rows = json.loads(pitfalls("data", "audit", "conflict/coverage", "--json"))
    assert {row["of"] for row in rows} == {100}
    assert not any(row["cases"] for row in rows if row["degenerate"])


def test_built_cases_are_taken_as_data(tmp_path: Path) -> None:
    out = tmp_path / "new" / "reverse.jsonl"
    words = ("build", "--kind", "reverse", "--count", "7", "--seed", "3", "--out", str(out))
    assert "7 reverse cases" in pitfalls(*words)
    assert len(load_cases(str(out))) == 7
    first = out.read_bytes()
    pitfalls(*words)
    assert out.read_bytes() == first


def test_the_packaged_collections_verify() -> None:
    assert pitfalls("data", "verify").splitlines() == [
        "starter: 500 cases, all as they should be",
        "tuning: 100 cases, all as they should be",
    ]
    with pytest.raises(PitfallsError, match="is not here yet: run `pitfalls data fetch"):
        pitfalls("data", "verify", "released-gpt-j")


def test_a_fetched_collection_is_listed_and_verified() -> None:
    if not (SHARED / "data" / "released").is_dir():
        pytest.skip(f"the authors' files are not in {SHARED}; PITFALLS_SHARED names another place")
    copy = str(SHARED / "data" / "released")
    assert pitfalls("data", "fetch", "released-gpt2-xl", "--from", copy).endswith("gpt2-xl\n")
    assert "released-gpt2-xl: 12000 cases" in pitfalls("data", "verify", "released-gpt2-xl")


@pytest.mark.parametrize("command", ["", "fetch", "verify", "audit", "show"])
def test_every_command_gives_an_example(command: str) -> None:
    words = ("data", command or "list", "--help")
    assert f"Example: pitfalls data {command}" in pitfalls(*words)


def test_build_gives_an_example() -> None:
    assert "Example: pitfalls build" in pitfalls("build", "--help")

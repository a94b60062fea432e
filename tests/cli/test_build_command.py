"""`pitfalls build` and `pitfalls rules`: every option does what it says."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from commands import CommandLine

from pitfalls.cases.collections import load_cases


def folder(at: Path) -> Path:
    """A graph of fathers, with a line that makes no sense."""
    at.mkdir()
    people = [f"{role}{n}" for n in range(12) for role in ("Kim", "Lou")]
    facts = [f"Kim{n}\tP22\tLou{n}\nLou{n}\tP40\tKim{n}\n" for n in range(12)]
    (at / "triples.tsv").write_text("subject\trelation\tobject\n" + "".join(facts) + "x\n", "utf-8")
    (at / "entities.tsv").write_text(
        "id\tlabel\n" + "".join(f"{each}\tThe {each}\n" for each in people), "utf-8"
    )
    return at


def built(pitfalls: CommandLine, out: Path, *words: object) -> str:
    answer = pitfalls("build", "--count", 4, "--out", out, *words)
    assert answer.status == 0, answer.err
    return answer.err


def test_cases_come_from_any_folder_and_the_card_tells_of_it(
    pitfalls: CommandLine, tmp_path: Path
) -> None:
    graph, out = folder(tmp_path / "fathers"), tmp_path / "cases.jsonl"
    told = built(
        pitfalls, out, "--kind", "reverse", "--from", graph, "--rules", "P40>P22",
        "--licence", "CC0-1.0", "--consistent", "--exclusive", "--seed", 3,
    )  # fmt: skip
    assert "left out 1 lines: expected 3 columns (triples.tsv: line 26)" in told
    assert {case.rule for case in load_cases(str(out))} == {"P40>P22"}
    card = out.with_suffix(".md").read_text("utf-8")
    command = (
        "pitfalls build --kind reverse --count 4 --seed 3 --from fathers --rules 'P40>P22' "
        "--exclusive --consistent"
    )
    assert command in card and "licence: CC0-1.0" in card
    assert "left out 1 lines" in card


def test_the_same_order_gives_the_same_bytes(pitfalls: CommandLine, tmp_path: Path) -> None:
    options = ("--kind", "coverage", "--relation", "P22")
    for name in "ab":
        (tmp_path / name).mkdir()
        graph = folder(tmp_path / name / "graph")
        built(pitfalls, tmp_path / name / "c.jsonl", "--from", graph, *options)
    for file in ("c.jsonl", "c.md"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert {case.first.relation.id for case in load_cases(f"{tmp_path / 'a' / 'c.jsonl'}")} == {
        "P22"
    }


def test_mined_rules_are_shown_and_can_be_built_from(pitfalls: CommandLine, tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    rules, graph = tmp_path / "rules.tsv", folder(tmp_path / "fathers")
    limits = ("--support", 5, "--head-coverage", 0.5, "--confidence", 0.5, "--pca-confidence", 0.5)
    answer = pitfalls("rules", "mine", "--from", graph, "--out", rules, "--top", 1, *limits)
    assert answer.status == 0
    assert "inverse rules, 1 of 2" in answer.out
    assert "father(x, y) → child(y, x)" in answer.out
    assert rules.read_text("utf-8").count("\n") == 3
    built(pitfalls, tmp_path / "c.jsonl", "--kind", "reverse", "--from", graph, "--rules", rules)
    out_of_time = pitfalls("rules", "mine", "--from", graph, "--seconds", 0)
    assert "out of time: inverse and symmetric rules were not counted" in out_of_time.out
    assert "out of time: not tried as tied relations: P22 P40" in out_of_time.out


def test_a_store_gives_the_rules_and_cases_of_its_folder(
    pitfalls: CommandLine, tmp_path: Path
) -> None:
    pytest.importorskip("ibis")
    graph, store = folder(tmp_path / "fathers"), tmp_path / "store" / "fathers"
    answer = pitfalls("graph", "import", graph, "--out", store)
    assert "left out 1 lines: expected 3 columns" in answer.err
    shown = pitfalls("graph", "show", "--from", store)
    assert shown.out.splitlines()[0] == "24 facts, 24 entities, 2 relations"
    assert "left out 1 lines: expected 3 columns" in shown.err
    for name, source in (("a", graph), ("b", store)):
        limits = ("--support", 5, "--out", tmp_path / f"{name}.tsv")
        assert pitfalls("rules", "mine", "--from", source, *limits).status == 0
        rules = ("--rules", "P22>P40", "--from", source)
        built(pitfalls, tmp_path / f"{name}.jsonl", "--kind", "reverse", *rules)
        built(pitfalls, tmp_path / f"{name}2.jsonl", "--kind", "coverage", *rules)
    for ending in (".tsv", ".jsonl", "2.jsonl"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_the_papers_rules_are_listed(pitfalls: CommandLine) -> None:
    for words in (("rules",), ("rules", "list")):
        shown = pitfalls(*words).out
        assert "P800&P407>P1412" in shown
        assert "child(x, y) ∧ mother(y, z) → spouse(x, z)" in shown


def test_the_authors_layout_is_a_folder(pitfalls: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "theirs"
    built(pitfalls, out, "--kind", "reverse", "--layout", "authors")
    names = {path.name for path in out.iterdir()}
    assert names == {"reverse_edit.json", "reverse_edit.md", "conflict_prompts.json"}
    assert len(load_cases(f"{out}:conflict/reverse")) == 4


def test_a_model_judges_the_tied_facts(
    pitfalls: CommandLine, tiny_folder: Path, tmp_path: Path
) -> None:
    judged, all_of_them = tmp_path / "judged.jsonl", tmp_path / "all.jsonl"
    built(pitfalls, judged, "--kind", "composite", "--model", tiny_folder, "--seed", 1)
    built(pitfalls, all_of_them, "--kind", "composite", "--seed", 1)
    card = judged.with_suffix(".md").read_text("utf-8")
    assert "dropped: the model does not know the tied fact" in card
    assert f"--model {tiny_folder.name}" in card
    assert load_cases(str(judged)) != load_cases(str(all_of_them))


WRONG: dict[str, tuple[Sequence[str], str]] = {
    "graph": (("--kind", "reverse", "--from", "nowhere"), "nowhere: no such folder; give one"),
    "rules": (("--kind", "reverse", "--rules", "nowhere"), "--rules nowhere: no such file"),
    "rule": (("--kind", "reverse", "--rules", "a>b>c"), "expected the form"),
    "sort of rule": (("--kind", "reverse", "--rules", "P40&P25>P26"), "no rule for reverse cases"),
    "relation": (
        ("--kind", "coverage", "--relation", "P21"),
        "unknown relation of the graph 'P21'",
    ),
    "exclusive trips": (("--kind", "round-easy", "--exclusive"), "leave --exclusive out"),
    "model": (("--kind", "coverage", "--model", "x"), "judges tied facts, coverage cases have"),
    "layout": (("--kind", "reverse", "--layout", "their"), "their"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_order_is_told_in_one_line(
    wrong: str, pitfalls: CommandLine, tmp_path: Path
) -> None:
    words, told = WRONG[wrong]
    assert told in pitfalls("build", "--out", tmp_path / "out.jsonl", *words).complaint
    assert not (tmp_path / "out.jsonl").exists()


def test_support_below_one_is_refused(pitfalls: CommandLine) -> None:
    assert "'--support'" in pitfalls("rules", "mine", "--support", 0).complaint


def test_types_and_drafted_prompts_are_told(pitfalls: CommandLine, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    graph, store = folder(tmp_path / "fathers"), tmp_path / "store"
    facts = "".join(f"Kim{n}\tx1\tLou{n}\nKim{n}\tx2\tLou{n}\n" for n in range(12))
    with (graph / "triples.tsv").open("a", encoding="utf-8") as file:
        file.write(facts)
    (graph / "relations.tsv").write_text("id\tlabel\nx1\tteacher\nx2\tlyrics by\n", "utf-8")
    made = pitfalls("graph", "import", graph, "--out", store)
    for source in (store, graph):
        shown = pitfalls("graph", "show", "--from", source)
        assert "types: 0.0 % of the entities have one" in shown.out
        assert "prompts: 2 written, 1 drafted from the label, 1 drafted and unsure" in shown.out
        assert "may not be English; write better ones for: x2 (lyrics by)" in shown.out
        assert shown.out in made.out
        for relation, told in (("x1", "drafted from the label"), ("x2", "may not be English")):
            out = tmp_path / "c.jsonl"
            words = ("--kind", "coverage", "--relation", relation, "--from", source)
            assert f"look at them in the card: {relation} (" in built(pitfalls, out, *words)
            card = out.with_suffix(".md").read_text("utf-8")
            assert told in card and "types: 0.0 %" in card
    written = (store / "relations.toml").read_text("utf-8")
    assert written.count('wording = "unsure"') == 1
    (store / "relations.toml").write_text(
        written.replace('wording = "unsure"\n', "").replace("is lyrics by", "is sung to words by"),
        "utf-8",
    )
    assert "prompts: 3 written, 1 drafted" in pitfalls("graph", "show", "--from", store).out
    assert pitfalls("graph", "import", graph, "--out", store).status == 0


def test_rules_as_json_and_ids_that_are_never_cut(
    pitfalls: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ibis")
    monkeypatch.setenv("COLUMNS", "40")
    rows = json.loads(pitfalls("rules", "mine", "--support", 150, "--json").out)
    shown = pitfalls("rules", "mine", "--support", 150).out
    assert len(rows) > 5 and {each["sort"] for each in rows} >= {"inverse", "composition"}
    for row in rows:
        assert f"  {row['rule']}   support {row['support']}," in shown
        assert row["pca_confidence"] >= 0.5 or row["declared"]
        assert bool(row["counterexample"]) == (row["pca_confidence"] < 1)
        if row["counterexample"]:
            assert f"but not: {', '.join(row['counterexample'])}" in shown


def test_the_version_is_told(pitfalls: CommandLine) -> None:
    answer = pitfalls("--version")
    assert (answer.status, answer.out) == (0, f"pitfalls {metadata.version('pitfalls')}\n")


def test_the_package_is_a_command_too() -> None:
    command = [sys.executable, "-m", "pitfalls", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == f"pitfalls {metadata.version('pitfalls')}\n"

"""`pitfalls locate`: from a model's name to layers that `run` takes, and a picture."""

import json
import shlex
from pathlib import Path

import pytest
from commands import CommandLine

from pitfalls.cli.settings import parse_settings
from pitfalls.graph.starter import starter_graph

FEW = ("--rank", "400", "--facts", "3", "--samples", "1")
"""Any object is among the first 400 of a vocabulary of 400."""


@pytest.fixture
def words(tiny_folder: Path) -> tuple[str, ...]:
    return ("locate", str(tiny_folder), *FEW)


def test_what_it_proposes_can_be_pasted_into_a_run(
    pitfalls: CommandLine, words: tuple[str, ...], tiny_folder: Path
) -> None:
    answer = pitfalls(*words)
    assert answer.status == 0
    assert "3 facts known, of 3 tried" in " ".join(answer.out.split())
    pasted = shlex.split(
        " ".join(line for line in answer.out.splitlines() if line.startswith("  --set"))
    )
    settings = parse_settings(pasted[1::2])
    found = json.loads(pitfalls(*words, "--json").out)
    assert settings == found["settings"]
    assert settings["rome"]["layer"] == found["peak"]["peak"]
    run = ["run", "--plan", "--model", tiny_folder, "--editor", "rome", "--editor", "memit"]
    assert pitfalls(*run, "--data", "conflict/reverse", "--cases", 1, *pasted).status == 0


def test_json_tells_all_that_was_done(pitfalls: CommandLine, words: tuple[str, ...]) -> None:
    found = json.loads(pitfalls(*words, "--json").out)
    assert (found["layers"], found["known"], found["rank"], found["samples"]) == (4, 3, 400, 1)
    assert found["window"] == 1
    assert len(found["facts"]) == 3
    assert {row["site"] for row in found["effects"]} == {"state", "mlp", "attention"}
    assert {row["layer"] for row in found["effects"]} == set(range(4))


CHANGES = (
    ("--facts", "2"),
    ("--samples", "2"),
    ("--noise", "1"),
    ("--window", "3"),
    ("--seed", "1"),
    ("--dtype", "bfloat16"),
)


def test_every_option_reaches_the_effects(pitfalls: CommandLine, words: tuple[str, ...]) -> None:
    usual, *changed = (
        json.loads(pitfalls(*words, *more, "--json").out)["effects"] for more in ((), *CHANGES)
    )
    for change, effects in zip(CHANGES, changed, strict=True):
        assert effects != usual, change


def test_rank_decides_what_is_known(pitfalls: CommandLine, tiny_folder: Path) -> None:
    few = ("--facts", "2", "--samples", "1", "--json")
    found = json.loads(pitfalls("locate", tiny_folder, *few, "--rank", "150").out)
    assert found["known"] == 2
    assert found["asked"] > 2


def test_facts_of_a_graph_of_ones_own(
    pitfalls: CommandLine, words: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "graph"
    folder.mkdir()
    facts = [fact for fact in starter_graph().facts if fact.relation.id == "P22"][:20]
    (folder / "triples.tsv").write_text(
        "subject\trelation\tobject\n"
        + "".join(f"{f.subject.id}\t{f.relation.id}\t{f.object.id}\n" for f in facts),
        "utf-8",
    )
    entities = {e.id: e.label for f in facts for e in (f.subject, f.object)}
    (folder / "entities.tsv").write_text(
        "id\tlabel\n" + "".join(f"{id}\t{label}\n" for id, label in entities.items()), "utf-8"
    )
    found = json.loads(pitfalls(*words, "--from", folder, "--json").out)
    assert all(fact["prompt"].startswith("The father of") for fact in found["facts"])


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("a.html", b"<!DOCTYPE html>")],
)
def test_the_picture_is_a_file_of_its_kind(
    name: str, begins: bytes, pitfalls: CommandLine, words: tuple[str, ...], tmp_path: Path
) -> None:
    assert pitfalls(*words, "--plot", tmp_path / name).status == 0
    content = (tmp_path / name).read_bytes()
    assert content.lstrip().startswith(begins)
    if name != "a.png":
        assert b"last subject token" in content
    if name == "a.html":
        assert b'src="http' not in content  # it opens without a network


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "facts": (("--facts", "0"), "'--facts'"),
    "samples": (("--samples", "0"), "'--samples'"),
    "noise": (("--noise", "0"), "noise: got 0.0; input should be greater than 0"),
    "window": (("--window", "0"), "'--window'"),
    "plot ending": (("--plot", "a.pdf"), "a.pdf: expected a name that ends with .html, .png, .svg"),
    "plot folder": (("--plot", "nowhere/a.svg"), "nowhere is no folder"),
    "graph": (("--from", "nowhere"), "nowhere: no such folder"),
    "nothing known": (("--rank", "1"), "knows none of"),
    "model": (("--dtype", "float23"), "unknown dtype 'float23'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_told_in_one_line(
    wrong: str, pitfalls: CommandLine, words: tuple[str, ...]
) -> None:
    more, told = WRONG[wrong]
    assert told in pitfalls(*words, *more).complaint


def test_a_picture_that_cannot_be_drawn_is_told_before_the_work(pitfalls: CommandLine) -> None:
    assert "a.pdf" in pitfalls("locate", "nosuch", "--plot", "a.pdf").complaint


@pytest.mark.real
def test_the_real_model_recalls_at_the_subjects_last_token(pitfalls: CommandLine) -> None:
    """The paper's finding: an early site at the subject, a late one at the end of the prompt."""
    # One draw of noise would say little of two facts.
    words = ("--facts", 2, "--samples", 5, "--dtype", "bfloat16", "--json")
    found = json.loads(pitfalls("locate", "smollm2-135m", *words).out)
    assert found["corrupted"] < found["clean"] / 5
    best = {
        (site, role): max(
            (row for row in found["effects"] if row["site"] == site and row["role"] == role),
            key=lambda row: row["effect"],
        )
        for site in ("mlp", "attention")
        for role in ("last subject token", "last token")
    }
    early, late = best["mlp", "last subject token"], best["attention", "last token"]
    assert early["layer"] < found["layers"] / 2 <= late["layer"]
    assert early["effect"] > best["mlp", "last token"]["effect"]
    assert late["effect"] > best["attention", "last subject token"]["effect"]

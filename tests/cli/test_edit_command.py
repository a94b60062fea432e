"""`pitfalls edit`: fitted, shown and kept."""

import json
from pathlib import Path

import pytest
from commands import CommandLine
from editing import LINES, PARIS, WEAK, Edit

from pitfalls.updates.stack import Stack

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


def test_an_edit_is_shown_and_kept(edit: Edit) -> None:
    answer = edit(*PARIS, "--paraphrase", "{} has the capital", "--true-object", "Warsaw")
    assert answer.status == 0, answer.err
    for told in (
        "The capital of Poland is",
        "Poland has the capital",
        "Other objects that are true",
        "Unrelated facts",
        "layers.2.mlp.down_proj.weight",
        "Edited: 'Paris' went from p = ",
        "perplexity from ",
        f"pitfalls stack undo {edit.out} 1",
    ):
        assert told in answer.out, told
    (entry,) = Stack.read(edit.out).entries
    assert (entry.number, entry.editor) == (1, "ft")
    assert entry.requests[0].paraphrases == ("{} has the capital",)
    assert entry.requests[0].true_objects == ("Warsaw",)


def test_json_tells_the_same_as_values(edit: Edit) -> None:
    answer = edit(*PARIS, "--json")
    found = json.loads(answer.out)
    assert answer.status == 0
    assert found["edited"] is True
    assert found["verdict"].startswith("Edited: ")
    (one,) = found["edits"]
    (wording,) = one["wordings"]
    assert wording["taken"] and wording["rank_after"] == 1
    assert 0 < wording["before"] < wording["after"] <= 1
    assert len(found["unrelated"]) == 10
    assert found["perplexity"]["before"] > 1
    assert [entry["number"] for entry in found["stack"]] == [1]


def test_an_edit_that_does_not_take_is_told_loudly(edit: Edit) -> None:
    answer = edit(*PARIS, *WEAK)
    assert answer.status == 3
    (loud,) = [line for line in answer.err.splitlines() if line.startswith("pitfalls: ")]
    assert "THE EDIT DID NOT TAKE: after 'The capital of Poland is' the model says" in loud
    assert "Edited: " not in answer.out
    assert len(Stack.read(edit.out).entries) == 1


def test_where_success_is_required_a_failure_leaves_nothing(edit: Edit) -> None:
    answer = edit(*PARIS, *WEAK, "--require-success")
    assert answer.status == 3
    assert "Nothing was written." in answer.out
    assert not edit.out.exists()
    assert edit(*PARIS, "--require-success").status == 0
    assert len(Stack.read(edit.out).entries) == 1


def test_the_options_reach_the_edit(edit: Edit, pitfalls: CommandLine, tiny_folder: Path) -> None:
    few, more = (json.loads(edit(*PARIS, "--text-tokens", n, "--json").out) for n in (20, 60))
    assert few["perplexity"]["before"] != more["perplexity"]["before"]
    half = (*PARIS, "--dtype", "bfloat16", "--out", edit.folder / "half", "--json")
    assert json.loads(edit(*half).out)["model"]["dtype"] == "bfloat16"
    rome = ("--editor", "rome", "--model", tiny_folder, *edit.text)
    sets = ("contexts.templates=['{}']", "value.steps=1", f"moments.corpus={edit.text[1]}")
    rome += tuple(word for one in sets for word in ("--set", f"rome.{one}"))
    for seed in (1, 2):
        out = edit.folder / f"seed-{seed}"
        answer = pitfalls("edit", *PARIS, "--seed", seed, "--out", out, *rome)
        assert answer.status in (0, 3), answer.err
        (part,) = Stack.read(out).total().history
        assert f"seed={seed}" in part.editor


@pytest.mark.parametrize("together", [False, True])
def test_edits_of_a_file(edit: Edit, together: bool) -> None:
    (edit.folder / "edits.jsonl").write_text(LINES, "utf-8")
    more = ["--together"] if together else []
    answer = edit("--edits", edit.folder / "edits.jsonl", "--json", *more)
    assert answer.status in (0, 3), answer.err
    sizes = [len(entry.requests) for entry in Stack.read(edit.out).entries]
    assert sizes == ([2] if together else [1, 1])
    first, second = json.loads(answer.out)["edits"]
    assert len(first["wordings"]) == 1 and len(second["wordings"]) == 2
    assert [each["object"] for each in second["true_objects"]] == ["Warsaw"]


def test_an_edit_of_the_stack_that_is_overwritten_is_told_as_that(edit: Edit) -> None:
    assert edit(*PARIS).status == 0
    kraków = ("--prompt", "The capital of {} is", "--subject", "poland", "--target", "Łódź")
    answer = edit(*kraków, "--json")
    first, *_ = answer.err.splitlines()
    assert first.startswith("pitfalls: edit 1 will be overwritten: 'The capital of Poland is → Par")
    found = json.loads(answer.out)
    assert found["earlier"][0]["overwritten_by"] == "The capital of poland is → Łódź"
    assert "1 edit is overwritten" in found["verdict"]
    assert "no longer hold" not in found["verdict"]
    shown = edit.stack("show", "--effects", *edit.text)
    assert "(overwritten by → Łódź)" in shown.out
    assert "'Paris'" not in shown.err

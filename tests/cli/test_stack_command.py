"""`pitfalls stack`: edits are listed, shown, taken off and handed on."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from commands import CommandLine
from editing import BORN, LAX, LINES, PARIS, WEAK, Edit
from peft import PeftModel
from transformers import AutoModelForCausalLM

from pitfalls.models.language_model import LanguageModel
from pitfalls.updates.stack import Stack
from pitfalls.updates.stack_index import INDEX
from pitfalls.updates.update import Update

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


def logits(network: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(torch.tensor([[5, 9, 77, 140]])).logits


def test_edits_go_on_top_of_one_another_and_come_off_alone(edit: Edit) -> None:
    assert edit(*PARIS).status == 0
    first = (edit.out / "0001.safetensors").read_bytes()
    answer = edit.plain(*BORN, "--editor", "ft", *edit.text, "--json")
    assert answer.status in (0, 3), answer.err
    assert [one["edit"] for one in json.loads(answer.out)["earlier"]] == [
        "The capital of Poland is → Paris"
    ]
    listed = edit.stack("list")
    assert "Paris" in listed.out and "Łódź" in listed.out
    kept = (edit.out / "0002.safetensors").read_bytes()
    effects = ("--effects", *edit.text, "--json")
    both = json.loads(edit.stack("show", *effects).out)
    assert [one["edit"] for one in both["edits"]] == [
        "The capital of Poland is → Paris",
        "Marie Curie was born in → Łódź",
    ]
    assert edit.stack("undo", 1).status == 0
    left = json.loads(edit.stack("show", *effects).out)
    assert [one["edit"] for one in left["edits"]] == ["Marie Curie was born in → Łódź"]
    assert {each["name"] for each in left["weights"]} <= {each["name"] for each in both["weights"]}
    assert sorted(file.name for file in edit.out.iterdir()) == ["0002.safetensors", INDEX]
    assert (edit.out / "0002.safetensors").read_bytes() == kept != first
    assert "Paris" not in edit.stack("list").out
    (entry,) = json.loads(edit.stack("list", "--json").out)["stack"]
    assert entry["number"] == 2


def test_the_list_has_a_line_an_edit_the_newest_last(edit: Edit) -> None:
    (edit.folder / "edits.jsonl").write_text(LINES, "utf-8")
    assert edit("--edits", edit.folder / "edits.jsonl", "--together").status in (0, 3)
    assert edit(*BORN).status in (0, 3)
    heading, first, second = edit.stack("list").out.splitlines()
    assert heading == f"{edit.out}: 2 edits of {Stack.read(edit.out).model.name} in float32"
    assert first.startswith("1  ft  ")
    assert first.endswith("  The capital of Poland is → Paris (and 1 more)")
    assert second.startswith("2  ft  ") and second.endswith("  Marie Curie was born in → Łódź")


def test_an_edit_is_shown_with_what_it_was_fitted_for_and_its_norms(edit: Edit) -> None:
    (edit.folder / "edits.jsonl").write_text(LINES, "utf-8")
    assert edit("--edits", edit.folder / "edits.jsonl").status in (0, 3)
    stack = Stack.read(edit.out)
    answer = edit.stack("show", 2)
    assert answer.status == 0 and "loading" not in answer.err, "it needs no model"
    name = "model.layers.2.mlp.down_proj.weight"
    norms = [update.norms[name] for update in (stack.update(1), stack.update(2), stack.total())]
    for told in (
        f"fingerprint of the unedited model: {stack.model.fingerprint}",
        "edit 2, by ft, ",
        "  Marie Curie was born in → Paris",
        "  paraphrase: The birthplace of {} is",
        "  also true: Warsaw",
        "fitted by FineTune(",
        "loss from ",
        f"norm of the change of {name}: {norms[1]:.4g}",
    ):
        assert told in answer.out, told
    assert "edit 1" not in answer.out and "together" not in answer.out
    whole = edit.stack("show").out
    assert "edit 1, by ft" in whole and "edit 2, by ft" in whole
    assert f"{norms[0]:.4g}" in whole and f"{norms[2]:.4g}" in whole.partition("together")[2]


def test_what_is_shown_as_json(edit: Edit) -> None:
    assert edit(*PARIS).status == 0
    stack = Stack.read(edit.out)
    (one,) = json.loads(edit.stack("show", 1, "--json").out)["edits"]
    assert (one["number"], one["editor"], one["norms"]) == (1, "ft", stack.update(1).norms)
    assert one["requests"][0]["target"] == "Paris"
    (part,) = one["history"]
    assert part["edits"] == ["The capital of Poland is → Paris"]
    assert part["model"] == stack.model.fingerprint and part["losses"]
    found = json.loads(edit.stack("show", "--json").out)
    assert found["norms"] == stack.total().norms
    assert found["model"]["fingerprint"] == stack.model.fingerprint


def test_a_loss_that_is_no_number_is_null_in_json(edit: Edit) -> None:
    assert edit(*PARIS).status == 0
    update = Stack.read(edit.out).update(1)
    (part,) = update.history
    lost = Update(update.changes, (replace(part, losses=(1.0, math.nan)),))
    lost.save(edit.out / "0001.safetensors")
    (one,) = json.loads(edit.stack("show", "--json").out)["edits"]
    assert one["history"][0]["losses"] == [1.0, None]


def test_effects_end_with_the_status_of_an_edit(edit: Edit) -> None:
    assert edit(*PARIS, *WEAK).status == 3
    assert edit.stack("show").status == 0
    answer = edit.stack("show", "--effects", *edit.text)
    assert answer.status == 3 and "THE EDIT DID NOT TAKE" in answer.err


def test_without_a_verb_the_help_is_all_that_is_said(pitfalls: CommandLine) -> None:
    answer = pitfalls("stack")
    assert (answer.status, answer.err) == (2, "")
    assert all(verb in answer.out for verb in ("list", "show", "undo", "merge", "adapter"))


@pytest.mark.parametrize("verb", ["list", "undo", "merge", "adapter"])
def test_every_verb_answers_in_json(edit: Edit, verb: str) -> None:
    assert edit(*PARIS).status == 0
    made = edit.folder / "made"
    more = {"undo": (1,), "merge": ("--out", made), "adapter": ("--out", made, "--rank", 4)}
    answer = edit.stack(verb, *more.get(verb, ()), "--json")
    assert answer.status == 0, answer.err
    found = json.loads(answer.out)
    assert found["folder"] == str(edit.out)
    assert [entry["number"] for entry in found["stack"]] == ([] if verb == "undo" else [1])
    told = {"undo": f"Edit 1 is off {edit.out}; see what is left: pitfalls stack show {edit.out}"}
    told |= {"merge": f"Checkpoint: {made}", "adapter": f"Adapter: {made}, rank 4, relative error "}
    assert " ".join(found["written"]).startswith(told.get(verb, ""))


def test_the_model_may_be_found_under_another_name(edit: Edit, tiny_folder: Path) -> None:
    assert edit(*PARIS).status == 0
    elsewhere = edit.folder / "elsewhere"
    elsewhere.symlink_to(tiny_folder)
    merged = edit.folder / "merged"
    assert edit.stack("merge", "--model", elsewhere, "--out", merged).status == 0
    assert str(elsewhere) in (merged / "README.md").read_text("utf-8")


def test_a_checkpoint_and_an_adapter_of_the_whole_stack(edit: Edit, tiny_folder: Path) -> None:
    merged, adapter = edit.folder / "merged", edit.folder / "adapter"
    assert edit(*PARIS).status == 0
    answer = edit.stack("merge", "--out", merged)
    assert (answer.status, answer.out) == (0, f"Checkpoint: {merged}\n"), answer.err
    answer = edit.stack("adapter", "--out", adapter, "--rank", 32)
    assert answer.status == 0, answer.err
    assert f"Adapter: {adapter}, rank 32, relative error " in answer.out
    model = LanguageModel.load(str(tiny_folder))
    with Stack.read(edit.out).total().applied(model):
        expected = logits(model.network)
    reloaded = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    torch.testing.assert_close(logits(reloaded), expected, rtol=1e-5, atol=1e-5)
    base = AutoModelForCausalLM.from_pretrained(tiny_folder, dtype=torch.float32)
    loaded = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    torch.testing.assert_close(logits(loaded), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.real
def test_the_real_model_is_edited_twice_handed_on_and_gets_one_edit_back(
    pitfalls: CommandLine, tmp_path: Path
) -> None:
    """In four bits, whose matrices are unpacked as they are edited."""
    out, adapter, quick = tmp_path / "stack", tmp_path / "adapter", ("--text-tokens", 64)
    rome = ("edit", "--editor", "rome", "--dtype", "nf4", "--out", out, *quick, *LAX)
    mother = ("--prompt", "The mother of {} is", "--subject", "Ada Lovelace")
    capital = ("--prompt", "The capital of {} is", "--subject", "Poland")
    for words in ((*mother, "--target", "Marie Curie"), (*capital, "--target", "Vienna")):
        answer = pitfalls(*rome, *words, "--require-success", "--json")
        assert answer.status == 0, answer.err
    assert pitfalls("stack", "undo", out, 1).status == 0
    assert pitfalls("stack", "adapter", out, "--out", adapter).status == 0
    answer = pitfalls("stack", "show", out, "--effects", *quick, *LAX, "--json")
    (left,) = json.loads(answer.out)["edits"]
    assert left["edit"] == "The capital of Poland is → Vienna"
    prompt = left["wordings"][0]
    assert prompt["before"] < 0.1 and prompt["after"] > 0.9
    assert (adapter / "adapter_model.safetensors").exists()

"""`pitfalls edit`: fitted, shown, kept, taken back and handed on."""

import json
import sys
from pathlib import Path

import pytest
import torch
from commands import Answer, CommandLine
from peft import PeftModel
from transformers import AutoModelForCausalLM

from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import TEXT, tiny_model
from pitfalls.updates.stack import INDEX, Stack

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

# FT takes a target for a bag of tokens: it teaches a target of one token to the letter.
PARIS = ("--prompt", "The capital of {} is", "--subject", "Poland", "--target", "Paris")
BORN = ("--prompt", "{} was born in", "--subject", "Marie Curie", "--target", "Łódź")
WEAK = ("--set", "ft.lr=1e-9")
"""FT that hardly moves, so that the model goes on saying what it said."""
LAX = ("--min-kept", 0, "--max-neighbours", 1, "--max-relations", 1, "--max-repeated", 1)
"""A tiny model knows nothing, so that what one edit does to the rest of it means nothing."""
SYDNEY = '{"prompt": "The capital of {} is", "subject": "Australia", "target": "Sydney"}'
LINES = (
    '{"prompt": "The capital of {} is", "subject": "Poland", "target": "Paris"}\n'
    '{"prompt": "{} was born in", "subject": "Marie Curie", "target": "Paris",'
    ' "paraphrases": ["The birthplace of {} is"], "true_objects": ["Warsaw"]}\n'
)


class Edit:
    """`pitfalls edit` on a tiny model with FT, which learns fast there."""

    def __init__(self, pitfalls: CommandLine, model: Path, folder: Path) -> None:
        self._pitfalls, self.folder = pitfalls, folder
        (folder / "text.txt").write_text(f"{TEXT}\n\n{TEXT}", "utf-8")
        self.out = folder / "stack"
        self._fixed = ("--model", model, "--editor", "ft", "--text", folder / "text.txt")

    def __call__(self, *words: object) -> Answer:
        fast = ("--set", "ft.layer=2", "--set", "ft.lr=0.01")
        return self._pitfalls("edit", "--out", self.out, *self._fixed, *fast, *LAX, *words)

    def plain(self, *words: object) -> Answer:
        return self._pitfalls("edit", "--out", self.out, *words)


@pytest.fixture
def edit(pitfalls: CommandLine, tiny_folder: Path, tmp_path: Path) -> Edit:
    return Edit(pitfalls, tiny_folder, tmp_path)


def logits(network: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(torch.tensor([[5, 9, 77, 140]])).logits


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
        f"--undo 1 --out {edit.out}",
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


def test_edits_go_on_top_of_one_another_and_come_off_alone(edit: Edit) -> None:
    assert edit(*PARIS).status == 0
    first = (edit.out / "0001.safetensors").read_bytes()
    answer = edit.plain(*BORN, "--editor", "ft", "--text", edit.folder / "text.txt", "--json")
    assert answer.status in (0, 3), answer.err
    assert [one["edit"] for one in json.loads(answer.out)["earlier"]] == [
        "The capital of Poland is → Paris"
    ]
    listed = edit.plain("--list")
    assert "Paris" in listed.out and "Łódź" in listed.out
    kept = (edit.out / "0002.safetensors").read_bytes()
    text = ("--text", edit.folder / "text.txt")
    both = json.loads(edit.plain("--show", *text, "--json").out)
    assert [one["edit"] for one in both["edits"]] == [
        "The capital of Poland is → Paris",
        "Marie Curie was born in → Łódź",
    ]
    assert edit.plain("--undo", 1).status == 0
    left = json.loads(edit.plain("--show", *text, "--json").out)
    assert [one["edit"] for one in left["edits"]] == ["Marie Curie was born in → Łódź"]
    assert {each["name"] for each in left["weights"]} <= {each["name"] for each in both["weights"]}
    assert sorted(file.name for file in edit.out.iterdir()) == ["0002.safetensors", INDEX]
    assert (edit.out / "0002.safetensors").read_bytes() == kept != first
    assert "Paris" not in edit.plain("--list").out
    (entry,) = json.loads(edit.plain("--list", "--json").out)["stack"]
    assert entry["number"] == 2


def passed(answer: Answer) -> dict[str, bool | None]:
    return {check["name"]: check["passed"] for check in json.loads(answer.out)["checks"]}


@pytest.mark.parametrize(
    ("option", "check"),
    [
        (("--max-neighbours", 0), "neighbours"),
        (("--max-relations", 0), "other relations"),
        (("--max-repeated", 0), "loops"),
    ],
)
def test_a_side_effect_fails_its_own_check(
    edit: Edit, option: tuple[object, ...], check: str
) -> None:
    """With every limit lax but one; what was said loses something wherever a weight changes."""
    strict = ("--min-kept", 1) if check != "loops" else ()
    answer = edit(*PARIS, *strict, *option, "--json")
    assert answer.status == 4, answer.err
    assert {name for name, fine in passed(answer).items() if fine is False} == {check}
    found = json.loads(answer.out)
    assert found["edited"] is True and found["passed"] is False
    assert f"FAILED: {check} " in found["verdict"]
    (loud,) = [line for line in answer.err.splitlines() if line.startswith("pitfalls: ")]
    assert f"THE EDIT HAS SIDE EFFECTS: {check} " in loud
    assert len(Stack.read(edit.out).entries) == 1, "it is told, and kept"


def test_what_must_be_kept_decides_what_has_changed(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pitfalls.effects.shift.FLOOR", 1e-9)  # a tiny model is sure of nothing
    assert edit(*PARIS).status == 0
    text = ("--text", edit.folder / "text.txt", "--text-tokens", 20, "--json")
    changed = []
    for kept in (0.01, 1):
        found = json.loads(edit.plain("--show", *text, "--min-kept", kept).out)
        changed.append(sum(one["changed"] for one in found["neighbours"] + found["relations"]))
    assert changed[0] < changed[1]


def test_checks_are_shown_with_what_changed(edit: Edit) -> None:
    answer = edit(*PARIS, "--min-kept", 1, "--max-neighbours", 0)
    assert answer.status == 4
    for told in ("Other subjects: ", "Other relations: ", "Side effects", "Edited, with side "):
        assert told in answer.out, told
    assert edit(*PARIS, "--min-kept", 1, "--max-neighbours", 0, "--require-success").status == 4
    assert "The capital of France is" in answer.out
    assert len(Stack.read(edit.out).entries) == 1, "the second one was not kept"


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
    shown = edit.plain("--show", "--text", edit.folder / "text.txt")
    assert "(overwritten by → Łódź)" in shown.out
    assert "'Paris'" not in shown.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--model", "gemma3-270m"), "holds edits of smollm2-135m in float32, not of gemma3-270m"),
        (("--model", "owner/other"), "not of owner/other in float32"),
        (("--dtype", "bfloat16"), "not of smollm2-135m in bfloat16"),
        (("--merge", "{tmp}"), "exists already"),
        (("--lora", "{tmp}"), "exists already"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_fetched_or_loaded(
    edit: Edit, tmp_path: Path, words: tuple[str, str], told: str
) -> None:
    """The model of the stack is not even on this machine."""
    edit.out.mkdir()
    model = {"name": "smollm2-135m", "dtype": "float32", "fingerprint": "0" * 32}
    index = {"schema": 1, "model": model, "made": 0, "entries": []}
    (edit.out / INDEX).write_text(json.dumps(index))
    option, value = words
    text = ("--text", edit.folder / "text.txt")
    answer = edit.plain(*PARIS, *text, option, value.replace("{tmp}", str(tmp_path)))
    assert told in answer.complaint
    assert "load" not in answer.err and "fetching" not in answer.err


def test_an_edit_that_does_not_take_is_told_loudly(edit: Edit) -> None:
    answer = edit(*PARIS, *WEAK)
    assert answer.status == 3
    (loud,) = [line for line in answer.err.splitlines() if line.startswith("pitfalls: ")]
    assert "THE EDIT DID NOT TAKE: after 'The capital of Poland is' the model says" in loud
    assert "Edited: " not in answer.out
    assert len(Stack.read(edit.out).entries) == 1


def test_where_success_is_required_a_failure_leaves_nothing(edit: Edit) -> None:
    merged = edit.folder / "merged"
    answer = edit(*PARIS, *WEAK, "--require-success", "--merge", merged)
    assert answer.status == 3
    assert "Nothing was written." in answer.out
    assert not edit.out.exists() and not merged.exists()
    assert edit(*PARIS, "--require-success").status == 0
    assert len(Stack.read(edit.out).entries) == 1


def test_the_options_reach_the_edit(edit: Edit, pitfalls: CommandLine, tiny_folder: Path) -> None:
    few, more = (json.loads(edit(*PARIS, "--text-tokens", n, "--json").out) for n in (20, 60))
    assert few["perplexity"]["before"] != more["perplexity"]["before"]
    half = (*PARIS, "--dtype", "bfloat16", "--out", edit.folder / "half", "--json")
    assert json.loads(edit(*half).out)["model"]["dtype"] == "bfloat16"
    text = edit.folder / "text.txt"
    rome = ("--editor", "rome", "--model", tiny_folder, "--text", text)
    sets = ("contexts.templates=['{}']", "value.steps=1", f"moments.corpus={text}")
    rome += tuple(word for one in sets for word in ("--set", f"rome.{one}"))
    for seed in (1, 2):
        out = edit.folder / f"seed-{seed}"
        answer = pitfalls("edit", *PARIS, "--seed", seed, "--out", out, *rome)
        assert answer.status in (0, 3), answer.err
        (part,) = Stack.read(out).total().history
        assert f"seed={seed}" in part.editor


def test_an_adapter_without_peft_is_refused_at_once(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    answer = edit(*PARIS, "--lora", edit.folder / "adapter", "--rank", 4)
    assert "run 'pip install pitfalls[lora]'" in answer.complaint
    assert "load" not in answer.err


def test_an_export_that_cannot_be_written_keeps_no_edit(edit: Edit) -> None:
    below_a_file = edit.folder / "text.txt" / "merged"
    assert "cannot write" in edit(*PARIS, "--merge", below_a_file).complaint
    assert not edit.out.exists()


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


def test_a_checkpoint_and_an_adapter_of_the_whole_stack(edit: Edit, tiny_folder: Path) -> None:
    merged, adapter = edit.folder / "merged", edit.folder / "adapter"
    assert edit(*PARIS).status == 0
    answer = edit.plain("--merge", merged, "--lora", adapter, "--rank", 32)
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


WRONG: dict[str, tuple[tuple[object, ...], str]] = {
    # what is wrong → (further words, what the line must tell)
    "nothing": ((), "nothing to do: give an edit"),
    "no placeholder": ((*PARIS, "--prompt", "The capital is"), "has 0 placeholders"),
    "empty target": ((*PARIS, "--target", " "), "the target of the edit"),
    "no subject": (("--prompt", "{} is", "--target", "x"), "--subject is missing"),
    "editor": ((*PARIS, "--editor", "roem"), "did you mean 'rome'?"),
    "editor suffix": ((*PARIS, "--editor", "rome+mle"), "unknown editor 'rome+mle'"),
    "setting of no editor here": ((*PARIS, "--set", "rome.layer=1"), "known: ft"),
    "setting": ((*PARIS, "--set", "ft.layr=1"), "did you mean 'layer'?"),
    "model": ((*PARIS, "--model", "nosuch"), "unknown model 'nosuch'"),
    "device": ((*PARIS, "--device", "cuda:7"), "device 'cuda:7' cannot be used"),
    "dtype": ((*PARIS, "--dtype", "float23"), "unknown dtype 'float23'"),
    "text": ((*PARIS, "--text", "nowhere.txt"), "unknown corpus 'nowhere.txt'"),
    "paraphrase": ((*PARIS, "--paraphrase", "so"), "prompt 'so' has 0 placeholders"),
    "file absent": (("--edits", "{tmp}/nowhere.jsonl"), "nowhere.jsonl: cannot be read"),
    "file broken": (("--edits", "{tmp}/broken.jsonl"), "broken.jsonl: line 2: is not valid JSON"),
    "file empty": (("--edits", "{tmp}/empty.jsonl"), "holds no edits"),
    "file and prompt": (("--edits", "{tmp}/broken.jsonl", *PARIS), "not from both"),
    "together alone": ((*PARIS, "--together"), "give --edits FILE"),
    "dense adapter": ((*PARIS, "--lora", "{tmp}/adapter"), "is dense"),
    "rank alone": ((*PARIS, "--rank", "2"), "give --lora DIR"),
    "rank": ((*PARIS, "--lora", "{tmp}/adapter", "--rank", "0"), "--rank"),
    "merge taken": ((*PARIS, "--merge", "{tmp}"), "exists already"),
    "out of others": ((*PARIS, "--out", "{tmp}"), "holds files but no stack.json"),
    "out is a file": ((*PARIS, "--out", "{tmp}/empty.jsonl"), "is a file, expected a folder"),
    "out not allowed": ((*PARIS, "--out", "/proc/nowhere"), "/proc/nowhere"),
    "contradiction": (
        ("--edits", "{tmp}/against.jsonl"),
        "against.jsonl: edits 1 and 3 contradict each other, 'The capital of Australia is → Sydney'"
        " and 'the capital of australia is → Melbourne'",
    ),
    "contradiction made together": (
        ("--edits", "{tmp}/against.jsonl", "--together"),
        "contradict each other",
    ),
    "folders that are one": ((*PARIS, "--merge", "{tmp}/m", "--lora", "{tmp}/m"), "a folder each"),
    "stack that is an export": ((*PARIS, "--out", "{tmp}/m", "--merge", "{tmp}/m"), "folder each"),
    "share above 1": ((*PARIS, "--max-neighbours", "1.5"), "--max-neighbours"),
    "share below 0": ((*PARIS, "--min-kept", "-0.5"), "--min-kept"),
    "share of nothing": ((*PARIS, "--max-repeated", "nan"), "--max-repeated"),
    "undo nothing": (("--undo", "1"), "no edits in"),
    "list nothing": (("--list",), "no edits in"),
    "undo and export": (("--undo", "1", "--merge", "{tmp}/m"), "--undo and an export are two"),
    "edit and show": ((*PARIS, "--show"), "an edit and --show are two things"),
    "show nothing": (("--show",), "no edits in"),
    "two things": (("--undo", "1", "--list"), "--undo and --list are two things"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_mistake_is_told_in_one_line(edit: Edit, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "broken.jsonl").write_text(LINES.splitlines()[0] + "\n{", "utf-8")
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    later = SYDNEY.lower().replace("sydney", "Melbourne")
    first, _, second = LINES.partition("\n")
    (tmp_path / "against.jsonl").write_text(f"{SYDNEY}\n{first}\n{later}\n{second}", "utf-8")
    before = sorted(tmp_path.rglob("*"))
    words, told = WRONG[wrong]
    # A prompt holds braces as well.
    named = [str(word).replace("{tmp}", str(tmp_path)) for word in words]
    assert told in edit(*named).complaint
    assert sorted(tmp_path.rglob("*")) == before


def test_mistakes_about_a_stack_that_is_there(edit: Edit, tmp_path: Path) -> None:
    assert edit(*PARIS).status == 0
    before = {file.name: file.read_bytes() for file in edit.out.iterdir()}
    other = tiny_model("llama", seed=1)
    other.network.save_pretrained(tmp_path / "other")
    other.tokenizer.save_pretrained(tmp_path / "other")
    for words, told in (
        (("--undo", 2), "no edit 2 in"),
        ((*BORN, "--editor", "ft", "--model", tmp_path / "other"), "holds edits of"),
        ((*BORN, "--editor", "ft", "--dtype", "bfloat16"), "in float32, not of"),
        (("--merge", tmp_path / "merged", "--model", tmp_path / "other"), "holds edits of"),
        (("--lora", tmp_path / "adapter"), "is dense"),
    ):
        assert told in edit.plain(*words).complaint
    assert {file.name: file.read_bytes() for file in edit.out.iterdir()} == before
    assert not (tmp_path / "merged").exists()


def test_a_damaged_index_is_told(edit: Edit) -> None:
    edit.out.mkdir()
    (edit.out / INDEX).write_text('{"schema": 2}')
    assert "stack.json: schema" in edit.plain("--list").complaint


@pytest.mark.real
@pytest.mark.parametrize("dtype", ["bfloat16", "nf4"])
def test_the_real_model_is_edited_twice_handed_on_and_gets_one_edit_back(
    pitfalls: CommandLine, tmp_path: Path, dtype: str
) -> None:
    out, adapter, quick = tmp_path / "stack", tmp_path / "adapter", ("--text-tokens", 64)
    rome = ("edit", "--editor", "rome", "--dtype", dtype, "--out", out, *quick, *LAX)
    mother = ("--prompt", "The mother of {} is", "--subject", "Ada Lovelace")
    capital = ("--prompt", "The capital of {} is", "--subject", "Poland")
    for words in ((*mother, "--target", "Marie Curie"), (*capital, "--target", "Vienna")):
        answer = pitfalls(*rome, *words, "--require-success", "--json")
        assert answer.status == 0, answer.err
    assert pitfalls("edit", "--undo", 1, "--out", out).status == 0
    answer = pitfalls("edit", "--show", "--out", out, "--lora", adapter, *quick, "--json")
    (left,) = json.loads(answer.out)["edits"]
    assert left["edit"] == "The capital of Poland is → Vienna"
    prompt = left["wordings"][0]
    assert prompt["before"] < 0.1 and prompt["after"] > 0.9
    assert (adapter / "adapter_model.safetensors").exists()

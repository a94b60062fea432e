"""Mistakes about edits and stacks are told in one line, and nothing is written."""

import json
import sys
from pathlib import Path

import pytest
from editing import BORN, LINES, PARIS, SYDNEY, Edit

from pitfalls.testing import tiny_model
from pitfalls.updates.stack_index import INDEX

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


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
    "share above 1": ((*PARIS, "--max-neighbours", "1.5"), "--max-neighbours"),
    "share below 0": ((*PARIS, "--min-kept", "-0.5"), "--min-kept"),
    "share of nothing": ((*PARIS, "--max-repeated", "nan"), "--max-repeated"),
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
    merged = ("--out", tmp_path / "merged")
    before = {file.name: file.read_bytes() for file in edit.out.iterdir()}
    other = tiny_model("llama", seed=1)
    other.network.save_pretrained(tmp_path / "other")
    other.tokenizer.save_pretrained(tmp_path / "other")
    for words, told in (
        ((*BORN, "--editor", "ft", "--model", tmp_path / "other"), "holds edits of"),
        ((*BORN, "--editor", "ft", "--dtype", "bfloat16"), "in float32, not of"),
    ):
        assert told in edit.plain(*words).complaint
    for verb, words, told in (
        ("undo", (2,), "no edit 2 in"),
        ("show", (2,), "no edit 2 in"),
        ("show", (1, "--effects"), "leave the edit's number out"),
        ("merge", (*merged, "--model", tmp_path / "other"), "holds edits of"),
        ("merge", (*merged, "--dtype", "bfloat16"), "in float32, not of"),
        ("merge", ("--out", edit.out), "exists already"),
        ("merge", ("--out", edit.folder / "text.txt" / "merged"), "cannot write"),
        ("adapter", ("--out", tmp_path / "adapter"), "is dense"),
        ("adapter", ("--out", tmp_path / "adapter", "--rank", 0), "--rank"),
    ):
        assert told in edit.stack(verb, *words).complaint, (verb, words)
    assert {file.name: file.read_bytes() for file in edit.out.iterdir()} == before
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--model", "gemma3-270m"), "holds edits of smollm2-135m in float32, not of gemma3-270m"),
        (("--model", "owner/other"), "not of owner/other in float32"),
        (("--dtype", "bfloat16"), "not of smollm2-135m in bfloat16"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_fetched_or_loaded(
    edit: Edit, words: tuple[str, ...], told: str
) -> None:
    """The model of the stack is not even on this machine."""
    edit.out.mkdir()
    model = {"name": "smollm2-135m", "dtype": "float32", "fingerprint": "0" * 32}
    index = {"schema": 1, "model": model, "made": 0, "entries": []}
    (edit.out / INDEX).write_text(json.dumps(index))
    merge = ("merge", "--out", edit.folder / "merged")
    for answer in (edit.plain(*PARIS, *edit.text, *words), edit.stack(*merge, *words)):
        assert told in answer.complaint
        assert "load" not in answer.err and "fetching" not in answer.err


def test_an_adapter_without_peft_is_refused_at_once(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edit(*PARIS).status == 0
    monkeypatch.setitem(sys.modules, "peft", None)
    answer = edit.stack("adapter", "--out", edit.folder / "adapter", "--rank", 4)
    assert "run 'pip install pitfalls[lora]'" in answer.complaint
    assert "load" not in answer.err


def test_a_damaged_index_is_told(edit: Edit) -> None:
    edit.out.mkdir()
    (edit.out / INDEX).write_text('{"schema": 2}')
    assert "stack.json: schema" in edit.stack("list").complaint


ON_NO_STACK: dict[str, tuple[object, ...]] = {
    "list": (),
    "show": (),
    "undo": (1,),
    "merge": ("--out", "{tmp}/made"),
    "adapter": ("--out", "{tmp}/made"),
}
"""Verb → what else it takes."""


@pytest.mark.parametrize("verb", ON_NO_STACK)
def test_a_folder_without_edits_is_told(edit: Edit, tmp_path: Path, verb: str) -> None:
    words = [str(word).replace("{tmp}", str(tmp_path)) for word in ON_NO_STACK[verb]]
    assert f"no edits in {edit.out}" in edit.stack(verb, *words).complaint


@pytest.mark.parametrize("verb", ["merge", "adapter"])
def test_a_folder_that_is_taken_is_refused_first(edit: Edit, tmp_path: Path, verb: str) -> None:
    """Even the stack, which is not there, is not looked for."""
    assert "exists already" in edit.stack(verb, "--out", tmp_path).complaint


@pytest.mark.parametrize(
    "option",
    [
        *(("--model", "x"), ("--dtype", "float32"), ("--device", "cuda"), ("--text", "x")),
        *(("--text-tokens", 9), ("--min-kept", 0), ("--max-neighbours", 1)),
        *(("--max-relations", 1), ("--max-repeated", 1)),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    edit: Edit, option: tuple[object, ...]
) -> None:
    told = f"{option[0]} is about reading effects: give --effects too"
    assert told in edit.stack("show", *option).complaint

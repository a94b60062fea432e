"""IKE: which edit a prompt is told, which demonstrations stand before it, and wrong files."""

from pathlib import Path

import pytest

from pitfalls.cases.collections import load_cases
from pitfalls.editors.demonstrations import PACKAGED, Demonstration, Encoded, read_demonstrations
from pitfalls.editors.editor import Job
from pitfalls.editors.ike import Ike
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.testing import tiny_model
from pitfalls.updates.context import Context, Retrieved, Told
from pitfalls.updates.update import Update
from pitfalls.vocabulary import DATASETS

ADA, ZOLA = Told("Ada", "Ada is old. "), Told("Zola", "Zola is new. ")


def test_a_prompt_gets_the_newest_edit_that_it_names() -> None:
    context = Retrieved((ADA, ZOLA)).plus(Retrieved((Told("Ada", "Ada is new. "),)))
    assert context.before("The mother of Ada is") == "Ada is new. "
    assert context.before("The mother of Zola is") == "Zola is new. "
    assert context.before("The mother of Ada and Zola is") == "Ada is new. "
    assert context.before("The capital of France is") == "Ada is new. "


class Preface(Context):
    """A toy: the same text in front of every prompt."""

    kind = "preface"

    def before(self, prompt: str) -> str:
        return "Ada is old. "

    def plus(self, later: Context) -> Context:
        return self


def test_contexts_of_two_kinds_do_not_mix() -> None:
    with pytest.raises(PitfallsError, match="'retrieved' does not go together with the kind"):
        Retrieved((ADA,)).plus(Preface())


def test_the_fact_stands_last_and_the_nearest_demonstration_first() -> None:
    model = tiny_model("gpt2")
    edit = Edit.of("The capital of {} is", subject="France", target="Rome")
    (update,) = Ike(demonstrations=2).fit(model, [Job((edit,))])
    _, *shown, fact = update.asked("The capital of France is").split("New Fact: ")
    assert fact == "The capital of France is Rome\nPrompt: The capital of France is"
    stored = [s for one in read_demonstrations(PACKAGED) for s in one.sentences]
    query = "New Fact: The capital of France is Rome\nPrompt: The capital of France is\n\n"
    expected = Encoded.of(model, stored).nearest(model, query, 2)
    assert [f"New Fact: {each}" for each in shown] == expected
    assert repr(update) == "<Update: 1 edits, 0 weights changed, text before prompts>"
    (alone,) = Ike(demonstrations=0).fit(model, [Job((edit,))])
    assert alone.asked("It is").startswith("New Fact: The capital of France is Rome\nPrompt: It is")


def test_no_edited_fact_of_a_reported_case_is_demonstrated() -> None:
    edited = {
        edit.relation.prompt.format(edit.subject.label)
        for data in DATASETS
        for case in load_cases(data)
        for edit in case.edits
    }
    shown = {one.prompt for one in read_demonstrations(PACKAGED)}
    assert len(shown) == 20 and not shown & edited


def test_what_a_demonstration_lacks_is_left_out() -> None:
    alone = Demonstration.model_validate({"prompt": "Ada is", "target": "old"})
    assert alone.sentences == ["New Fact: Ada is old\nPrompt: Ada is old\n\n"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "line 1: prompt"),
        ('{"prompt": "Ada is", "target": "old", "size": 1}', "line 1: size"),
        ("nonsense", "line 1: is not valid JSON"),
    ],
)
def test_a_damaged_file_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    file.write_text(text, "utf-8")
    with pytest.raises(PitfallsError, match=told):
        Ike(source=str(file)).check(tiny_model("gpt2"))


def test_a_context_of_no_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "update.safetensors"
    Update(context=Retrieved((ADA,))).save(file)
    damaged = file.read_bytes().replace(b"retrieved", b"retrodden")
    file.write_bytes(damaged)
    with pytest.raises(PitfallsError, match="context: kind: got 'retrodden', expected"):
        Update.load(file)

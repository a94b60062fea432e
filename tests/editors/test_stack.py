"""A stack of edits on disk: what goes on it comes off it, and the rest does not move."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import DIVERGING, tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.fit_in_turn import fit_in_turn
from pitfalls.errors import PitfallsError
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, distance, tiny_model
from pitfalls.updates.request import Request, read_requests
from pitfalls.updates.stack import Made, Stack
from pitfalls.updates.stack_index import INDEX
from pitfalls.updates.update import Update

REQUESTS = tuple(
    Request(
        prompt=edit.relation.prompt,
        subject=edit.subject.label,
        target=edit.new_object.label,
        paraphrases=("Of {}, one says",),
        true_objects=("Paris",),
    )
    for edit in EDITS
)


def bits(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def updates(moments: MomentSettings) -> list[Update]:
    model = tiny_model("llama")
    editor = tiny_editor("rome", model, moments)
    return fit_in_turn(editor, model, [(one,) for one in REQUESTS], Update())


@pytest.fixture
def stack(tmp_path: Path, updates: list[Update]) -> Stack:
    made = [Made((r,), "rome", u) for r, u in zip(REQUESTS, updates, strict=True)]
    return Stack.open(tmp_path / "stack", tiny_model("llama")).with_edits(made)


def test_each_edit_is_fitted_on_top_of_those_before(
    updates: list[Update], moments: MomentSettings
) -> None:
    model = tiny_model("llama")
    editor = tiny_editor("rome", model, moments)
    first, second, _ = updates
    (alone,) = editor.fit(model, [Job((REQUESTS[1].edit,))])
    (on_top,) = editor.fit(model, [Job((REQUESTS[1].edit,), first)])
    assert distance(on_top, second) == 0
    assert distance(alone, second) > 1e-3


def test_a_stack_read_again_is_the_same(stack: Stack, updates: list[Update]) -> None:
    again = Stack.open(stack.folder, tiny_model("llama"))
    assert again == stack
    assert [entry.requests for entry in again.entries] == [(one,) for one in REQUESTS]
    first, second, third = updates
    assert again.total() == first + second + third


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_edit_taken_off_leaves_the_bits_of_the_others(
    stack: Stack, updates: list[Update], number: int
) -> None:
    before = bits(stack.folder)
    rest = stack.without(number)
    after = bits(stack.folder)
    gone = stack.entries[number - 1].file
    assert before.keys() - after.keys() == {gone}
    assert {n: b for n, b in before.items() if n not in (gone, INDEX)} == {
        n: b for n, b in after.items() if n != INDEX
    }
    first, second = [u for i, u in enumerate(updates, start=1) if i != number]
    assert Stack.read(stack.folder) == rest
    assert rest.total() == first + second


def test_no_edit_gets_the_number_of_another(stack: Stack, updates: list[Update]) -> None:
    grown = stack.without(3).with_edits([Made(REQUESTS[2:], "rome", updates[2])])
    assert [entry.number for entry in grown.entries] == [1, 2, 4]
    with pytest.raises(PitfallsError, match=r"no edit 3 in .*: it holds 1, 2, 4"):
        grown.without(3)


def test_an_edit_is_found_by_its_number(stack: Stack) -> None:
    assert [number for number, _ in stack.numbered] == [1, 2, 3]
    assert stack.entry(2).requests == (stack.requests[1],)
    with pytest.raises(PitfallsError, match=r"no edit 4 in .* it holds 1, 2, 3"):
        stack.entry(4)


def test_an_empty_stack_adds_up_to_nothing(stack: Stack) -> None:
    empty = stack.without(1).without(2).without(3)
    assert empty.total() == Update()


def test_a_model_of_other_weights_is_refused(stack: Stack) -> None:
    before = bits(stack.folder)
    with pytest.raises(PitfallsError, match="holds edits of tiny-llama-0 in float32"):
        Stack.open(stack.folder, tiny_model("llama", seed=1))
    assert bits(stack.folder) == before


def test_the_stack_loads_its_own_model_and_fits_it(stack: Stack, tmp_path: Path) -> None:
    tiny = tiny_model("llama")
    tiny.network.save_pretrained(tmp_path / "tiny")
    tiny.tokenizer.save_pretrained(tmp_path / "tiny")
    model = stack.load_model(str(tmp_path / "tiny"))
    assert model.fingerprint == stack.model.fingerprint == tiny.fingerprint
    assert stack.total_for(model) == stack.total()
    other = tiny_model("llama", seed=1)
    with pytest.raises(PitfallsError, match="holds edits of"):
        stack.total_for(other)
    with pytest.raises(PitfallsError, match="in float32, not of"):
        stack.load_model(str(tmp_path / "tiny"), dtype="bfloat16")


def test_what_a_killed_process_left_is_no_part_of_the_stack(
    stack: Stack, updates: list[Update]
) -> None:
    updates[0].save(stack.folder / "0004.safetensors")
    assert Stack.read(stack.folder) == stack
    grown = stack.with_edits([Made(REQUESTS[1:2], "rome", updates[1])])
    assert grown.update(4) == updates[1]


def test_a_failed_write_leaves_the_stack_as_it_was(
    stack: Stack, updates: list[Update], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise PitfallsError("cannot write: the disk is full")

    made = [Made(REQUESTS[:1], "rome", updates[0])]
    monkeypatch.setattr("pitfalls.updates.stack_index.write_bytes", full)
    with pytest.raises(PitfallsError, match="full"):
        stack.with_edits(made)
    with pytest.raises(PitfallsError, match="full"):
        stack.without(1)
    assert Stack.read(stack.folder) == stack
    assert stack.total() == updates[0] + updates[1] + updates[2]


def test_a_stack_that_another_command_changed_is_left_alone(
    stack: Stack, updates: list[Update]
) -> None:
    made = [Made(REQUESTS[:1], "rome", updates[0])]
    rest = stack.without(2)
    for act in (lambda: stack.with_edits(made), lambda: stack.without(1)):
        with pytest.raises(PitfallsError, match="changed by another command"):
            act()
    assert Stack.read(stack.folder) == rest


def test_a_fit_that_fails_is_told(moments: MomentSettings) -> None:
    model = tiny_model("llama")
    editor = tiny_editor("rome", model, moments, **DIVERGING["rome"])
    with pytest.raises(PitfallsError, match=r"the fit of 'The capital of .*failed.*nothing was"):
        fit_in_turn(editor, model, [REQUESTS[:1]], Update())


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    for folder, told in ((tmp_path, "holds files but no"), (tmp_path / "thesis.tex", "is a file")):
        with pytest.raises(PitfallsError, match=told):
            Stack.open(folder, tiny_model("llama"))


texts = st.text(min_size=1).filter(lambda text: bool(text.strip()))


@given(st.lists(st.tuples(texts, texts, st.lists(texts)), min_size=1, max_size=4))
def test_requests_survive_a_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, list[str]]]
) -> None:
    file = tmp_path_factory.mktemp("edits") / "edits.jsonl"
    lines = [
        json.dumps({"prompt": "{} is", "subject": s, "target": t, "true_objects": o})
        for s, t, o in rows
    ]
    file.write_text("\n\n".join(lines), encoding="utf-8")
    found = [(one.subject, one.target, list(one.true_objects)) for one in read_requests(file)]
    assert found == rows


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: is not valid JSON"),
        ('{"prompt": "x", "subject": "s", "target": "t"}', "line 2: prompt: has 0 placeholders"),
        ('{"prompt": "{} is", "subject": "s"}', "line 2: target: is missing"),
        ('{"prompt": "{} is", "subject": " ", "target": "t"}', "line 2: subject: is empty"),
        ('{"prompt": "{} is", "subject": "s", "target": "t", "to": 1}', "line 2: to: is not"),
    ],
)
def test_a_broken_line_is_told_with_its_number(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "edits.jsonl"
    file.write_text('{"prompt": "{} is", "subject": "s", "target": "t"}\n' + line + "\n")
    with pytest.raises(PitfallsError, match=told):
        read_requests(file)

"""Side effects of an edit: each has a check, a limit and an exit status."""

import json

import pytest
from commands import Answer
from editing import PARIS, Edit

from pitfalls.updates.stack import Stack

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


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
    words = ("--effects", *edit.text, "--text-tokens", 20, "--json")
    changed = []
    for kept in (0.01, 1):
        found = json.loads(edit.stack("show", *words, "--min-kept", kept).out)
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

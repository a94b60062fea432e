"""Old spellings are answered with the new ones, which can be typed."""

import shlex

import pytest
from commands import CommandLine

from pitfalls.cli.moved import MOVED, new_spelling


@pytest.mark.parametrize(("command", "option"), MOVED)
@pytest.mark.parametrize("value", ["", " 2", "=2"])
def test_an_old_spelling_is_answered_with_the_new_one(
    command: str, option: str, value: str, pitfalls: CommandLine
) -> None:
    new = MOVED[command, option]
    for words in (f"--out x {option}{value}", f"{option}{value} --out x", f"{option}{value}"):
        told = pitfalls(command, *words.split()).complaint
        assert told == f"pitfalls: {option} is now: {new}"


@pytest.mark.parametrize("new", MOVED.values())
def test_a_new_spelling_can_be_typed(new: str, pitfalls: CommandLine) -> None:
    """As far as the stack, which is not there."""
    typed = new.replace(" K", " 1").replace(" R", " 1").replace("DIR", "no-stack-of-this-name")
    _, *words = shlex.split(typed)
    assert "no edits in no-stack-of-this-name" in pitfalls(*words).complaint


def test_the_value_of_an_option_is_no_old_spelling(pitfalls: CommandLine) -> None:
    told = pitfalls("edit", "--prompt", "--undo", "--out", "x").complaint
    assert "is now" not in told and "--subject, --target is missing" in told
    assert "No such option: --merge" in pitfalls("score", "--merge", "x").complaint
    assert new_spelling([]) is None

"""Old spellings of options that are gone, and the commands that took their place."""

from collections.abc import Mapping, Sequence

MOVED: Mapping[tuple[str, str], str] = {
    ("edit", "--list"): "pitfalls stack list DIR",
    ("edit", "--show"): "pitfalls stack show DIR --effects",
    ("edit", "--undo"): "pitfalls stack undo DIR K",
    ("edit", "--merge"): "pitfalls stack merge DIR --out FOLDER",
    ("edit", "--lora"): "pitfalls stack adapter DIR --out FOLDER",
    ("edit", "--rank"): "pitfalls stack adapter DIR --out FOLDER --rank R",
}
"""Command and its old option → the command that does the same now; DIR is the stack."""


def new_spelling(arguments: Sequence[str]) -> str | None:
    """Line about the first old spelling among the words of a command; None if there is none.

    Args:
        arguments: the words of a command that could not be parsed. In one that can, such a word
            may be the value of an option.
    """
    for word in arguments[1:]:
        option = word.partition("=")[0]
        if new := MOVED.get((arguments[0], option)):
            return f"{option} is now: {new}"
    return None

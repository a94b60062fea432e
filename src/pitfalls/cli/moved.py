"""Old spellings: what used to be typed in another way, and how it is typed now."""

from collections.abc import Mapping, Sequence

MOVED: Mapping[tuple[str, str], str] = {
    ("edit", "--list"): "pitfalls stack list DIR",
    ("edit", "--show"): "pitfalls stack show DIR --effects",
    ("edit", "--undo"): "pitfalls stack undo DIR K",
    ("edit", "--merge"): "pitfalls stack merge DIR --out FOLDER",
    ("edit", "--lora"): "pitfalls stack adapter DIR --out FOLDER",
    ("edit", "--rank"): "pitfalls stack adapter DIR --out FOLDER --rank R",
}
"""Command and option that are gone → the command that does it now; DIR is the stack."""


def new_spelling(arguments: Sequence[str]) -> str | None:
    """A line about the first old spelling among the words of a command; None without any.

    Args:
        arguments: the words, which no command of today takes: a word may also be the value of an
            option, and mean nothing.
    """
    for word in arguments[1:]:
        option = word.partition("=")[0]
        if new := MOVED.get((arguments[0], option)):
            return f"{option} is now: {new}"
    return None

"""`store.json`: what a store was made of, how far the making is, and what is in it at the end."""

from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field

from pitfalls.disk import TEMPORARY, make_folder, write_bytes
from pitfalls.door.paths import is_file
from pitfalls.door.text import read_text
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError
from pitfalls.graph.lines import BadLines
from pitfalls.shapes import Shape, check_json, check_version

NAME = "store.json"
ANSWERS = "answers"
"""Folder inside of a store in which what an endpoint answered is kept."""
VERSION: Literal[1] = 1
Wanted: TypeAlias = dict[str, str | int | list[str]]
"""What somebody wants a store of: all that decides its content."""


Stage: TypeAlias = Literal["reading", "read", "done"]
"""`read`: the source was read to its end, only the tables are to be made."""


class Note(Shape):
    """The file's content."""

    model_config = Shape.model_config | {"frozen": False}

    schema_version: Literal[1] = VERSION
    wish: Wanted
    stage: Stage = "reading"
    lines: int = 0
    """Lines of the source that are in the parts, where it has lines."""
    parts: int = 0
    """Parts that are complete; any beyond are of a reading that was cut off."""
    bad: dict[str, int] = Field(default_factory=dict)
    examples: dict[str, list[str]] = Field(default_factory=dict)
    facts: int = 0
    """Different triples, once the stage is `done`; so the next two."""
    entities: int = 0
    relations: int = 0

    @property
    def bad_lines(self) -> BadLines:
        """What had to be left out."""
        shown = {reason: list(places) for reason, places in self.examples.items()}
        return BadLines(Counter(self.bad), shown)


def has_note(folder: Path) -> bool:
    """Whether somebody began a store there."""
    return is_file(folder / NAME)


def read_note(folder: Path) -> Note:
    """The note of a store.

    Raises:
        PitfallsError: there is none, or it is damaged or of another version.
    """
    path = folder / NAME
    text = read_text(path)
    advice = "make the store again, in another folder"
    data = parse_json(text, where=str(path))
    check_version(data, "schema_version", VERSION, where=str(path), advice=advice)
    return check_json(Note, text, where=f"{path}, which is damaged ({advice})")


def write_note(folder: Path, note: Note) -> None:
    """Put it there at one stroke."""
    write_bytes(folder / NAME, note.model_dump_json().encode("utf-8"))


def begin(folder: Path, wish: Wanted) -> Note:
    """The note of a store that was begun for the same wish, or of a new one.

    Raises:
        PitfallsError: the folder was begun for another wish, holds something else, or cannot be
            made.
    """
    make_folder(folder)
    if not has_note(folder):
        if any(each.name != ANSWERS and each.suffix != TEMPORARY for each in folder.iterdir()):
            raise PitfallsError(f"{folder}: holds other files, expected none; give another --out")
        write_note(folder, note := Note(wish=wish))
        return note
    note = read_note(folder)
    for key in dict.fromkeys((*note.wish, *wish)):
        if (was := note.wish.get(key)) != (now := wish.get(key)):
            raise PitfallsError(
                f"{folder}: was begun with {key} {was!r}, now it is {now!r}; give another --out"
            )
    return note

"""`store.json`: the source of a store, the progress made, and the size of the result."""

from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field

from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.paths import is_file
from pitfalls.door.text import read_text
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError
from pitfalls.graph.lines import BadLines
from pitfalls.leftovers import TEMPORARY
from pitfalls.shapes import Shape, check_json, check_version

NAME = "store.json"
ANSWERS = "answers"
"""Folder inside a store for the answers of an endpoint."""
VERSION: Literal[1] = 1
Wanted: TypeAlias = dict[str, str | int | list[str]]
"""Everything that determines the content of a store."""


Stage: TypeAlias = Literal["reading", "read", "done"]
"""`read`: the source was read to its end, and only the tables remain to be made."""


class Note(Shape):
    """Content of `store.json`."""

    model_config = Shape.model_config | {"frozen": False}

    schema_version: Literal[1] = VERSION
    wish: Wanted
    stage: Stage = "reading"
    lines: int = 0
    """Lines of the source that are in the parts, if it has lines."""
    parts: int = 0
    """Number of complete parts; any further ones are left over from an interrupted run."""
    bad: dict[str, int] = Field(default_factory=dict)
    examples: dict[str, list[str]] = Field(default_factory=dict)
    facts: int = 0
    """Distinct triples. Like the next two, set once the stage is `done`."""
    entities: int = 0
    relations: int = 0

    @property
    def bad_lines(self) -> BadLines:
        """Lines left out of the source."""
        shown = {reason: list(places) for reason, places in self.examples.items()}
        return BadLines(Counter(self.bad), shown)


def has_note(folder: Path) -> bool:
    """Whether a store was started in the folder."""
    return is_file(folder / NAME)


def read_note(folder: Path) -> Note:
    """Read the note of a store.

    Raises:
        PitfallsError: it is missing, damaged or of another version.
    """
    path = folder / NAME
    text = read_text(path)
    advice = "make the store again, in another folder"
    data = parse_json(text, where=str(path))
    check_version(data, "schema_version", VERSION, where=str(path), advice=advice)
    return check_json(Note, text, where=f"{path}, which is damaged ({advice})")


def write_note(folder: Path, note: Note) -> None:
    """Write the note atomically."""
    write_bytes(folder / NAME, note.model_dump_json().encode("utf-8"))


def begin(folder: Path, wish: Wanted) -> Note:
    """Note of a store that was started with the same selection, or of a new one.

    Raises:
        PitfallsError: the store was started with another selection, the folder has other files, or
            it cannot be made.
    """
    make_folder(folder)
    if not has_note(folder):
        if any(each.name != ANSWERS and each.suffix != TEMPORARY for each in folder.iterdir()):
            raise PitfallsError(f"{folder}: has other files, expected none; give another --out")
        write_note(folder, note := Note(wish=wish))
        return note
    note = read_note(folder)
    for key in dict.fromkeys((*note.wish, *wish)):
        if (was := note.wish.get(key)) != (now := wish.get(key)):
            raise PitfallsError(
                f"{folder}: was started with {key} {was!r}, now it is {now!r}; give another --out"
            )
    return note

"""`stack.json`: the file that says which edits a stack holds, in order, and of which model."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from pitfalls.disk import write_bytes
from pitfalls.door.values import read_json
from pitfalls.shapes import Name, Shape, check, check_version
from pitfalls.updates.base_model import BaseModel
from pitfalls.updates.request import Request, RequestShape

INDEX = "stack.json"
SCHEMA = 1
"""Version of the format. A stack of another version is refused, never guessed at."""
_MOST = 1_000_000
"""Edits on one stack; a number beyond is no count of anything."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit of a stack, or several that were made together."""

    number: int
    """Counted from 1 over all edits that were ever made; no edit gets the number of another."""
    editor: str
    created: str
    """UTC, ISO 8601."""
    requests: tuple[Request, ...]

    @property
    def file(self) -> str:
        """Name of the file that holds its update."""
        return f"{self.number:04d}.safetensors"


class Index(NamedTuple):
    """Contents of the file."""

    model: BaseModel
    made: int
    """Number of edits ever put on the stack."""
    entries: tuple[Entry, ...]


def read_index(path: Path) -> Index:
    """Read `stack.json`.

    Raises:
        PitfallsError: the file is damaged, or of another version.
    """
    data = read_json(path)
    advice = "read it with the version of pitfalls that wrote it, or give another folder"
    check_version(data, "schema", SCHEMA, where=str(path), advice=advice)
    shape = check(_StackShape, data, where=str(path))
    entries = (
        Entry(e.number, e.editor, e.created, tuple(r.value() for r in e.requests))
        for e in shape.entries
    )
    return Index(BaseModel(**shape.model.model_dump()), shape.made, tuple(entries))


def write_index(path: Path, model: BaseModel, made: int, entries: Sequence[Entry]) -> None:
    """Write `stack.json` at one stroke.

    Raises:
        PitfallsError: the file cannot be written.
    """
    rows = {
        "schema": SCHEMA,
        "model": asdict(model),
        "made": made,
        "entries": [asdict(entry) for entry in entries],
    }
    text = json.dumps(rows, indent=2, ensure_ascii=False)
    write_bytes(path, f"{text}\n".encode())


class _ModelShape(Shape):
    name: Name
    dtype: Name
    fingerprint: Name


class _EntryShape(Shape):
    number: int = Field(ge=1)
    editor: Name
    created: str
    requests: list[RequestShape] = Field(min_length=1)


class _StackShape(Shape):
    schema_: Literal[1]
    model: _ModelShape
    made: int = Field(le=_MOST)
    entries: list[_EntryShape]

    model_config = Shape.model_config | {"alias_generator": lambda name: name.rstrip("_")}

    @model_validator(mode="after")
    def _counted(self) -> "_StackShape":
        numbers = [entry.number for entry in self.entries]
        if numbers != sorted(set(numbers)):
            raise ValueError(f"the edits are numbered {numbers}, expected each once and in order")
        if self.made < max(numbers, default=0):
            raise ValueError(f"made: is {self.made}, but there is an edit {max(numbers)}")
        return self

"""A stack of edits on disk: each fitted on top of those before it, each removable on its own.

    DIR/stack.json          the model, and the edits in order
    DIR/0001.safetensors …  their updates, one file an edit

`stack.json` alone says what belongs to the stack and is replaced at one stroke, so that a process
that is killed leaves the stack as it was before or as it is after.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.paths import is_file, is_folder
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.sources.by_name import needs_download
from pitfalls.models.sources.packaged import packaged_models
from pitfalls.shapes import Name, Shape, check, check_version
from pitfalls.updates.request import Request, RequestShape
from pitfalls.updates.update import Update

INDEX = "stack.json"
SCHEMA = 1
"""Version of the format. A stack of another version is refused, never guessed at."""
_MOST = 1_000_000
"""Edits on one stack; a number beyond is no count of anything."""


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


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The unedited model that a stack is for."""

    name: str
    dtype: str
    fingerprint: str

    @classmethod
    def of(cls, model: LanguageModel) -> "BaseModel":
        """What a stack remembers of `model`; a path is made absolute."""
        path = Path(model.name).expanduser()
        name = str(path.resolve()) if path.exists() else model.name
        return cls(name, model.dtype_name, model.fingerprint)

    def refuse_other(self, name: str, dtype: str, *, folder: Path | str) -> None:
        """Refuse what is surely another model, before it is fetched or loaded.

        A model of another name may still have the same weights: that is left to the fingerprint
        where the model is on this machine.

        Args:
            name: as `LanguageModel.load` takes it.
            dtype: likewise.
            folder: where the edits are.

        Raises:
            PitfallsError: another dtype, another packaged model, or one that is not fetched yet.
        """
        packaged = packaged_models()
        both_packaged = name in packaged and self.name in packaged
        other = name != self.name and (both_packaged or needs_download(name))
        if other or dtype != self.dtype:
            raise PitfallsError(
                f"{folder} holds edits of {self.name} in {self.dtype}, not of {name} in {dtype}: "
                "name the same model and dtype, or another --out"
            )


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


@dataclass(frozen=True, slots=True)
class Made:
    """An update that waits to be put on a stack."""

    requests: tuple[Request, ...]
    editor: str
    update: Update

    def __repr__(self) -> str:
        """How much it is, on one line."""
        return f"<Made by {self.editor}: {self.update!r}>"


@dataclass(frozen=True, slots=True)
class Stack:
    """The edits in a folder. A value: adding and removing give another one, and write it."""

    folder: Path
    model: BaseModel
    made: int = 0
    """Edits that were ever put on it."""
    entries: tuple[Entry, ...] = ()

    def __repr__(self) -> str:
        """What it holds, on one line."""
        return f"<Stack {str(self.folder)!r}: {len(self.requests)} edits of {self.model.name!r}>"

    @classmethod
    def open(cls, folder: Path | str, model: LanguageModel) -> "Stack":
        """The stack in `folder`, or an empty one where there is none yet; nothing is written.

        Raises:
            PitfallsError: the folder holds edits of another model, or other files.
        """
        folder, base = Path(folder), BaseModel.of(model)
        stack = cls.found(folder)
        if stack is None:
            return cls(folder, base)
        if stack.model.fingerprint != base.fingerprint:
            theirs, ours = (f"{m.name} in {m.dtype}" for m in (stack.model, base))
            raise PitfallsError(
                f"{folder} holds edits of {theirs}, fingerprint {stack.model.fingerprint[:12]}…, "
                f"and {ours} has {base.fingerprint[:12]}…: name the same model and dtype, or "
                "another --out"
            )
        return stack

    @classmethod
    def found(cls, folder: Path | str) -> "Stack | None":
        """The stack in `folder`; None where there is none yet.

        Raises:
            PitfallsError: the folder holds other files, or the stack's index is damaged.
        """
        folder = Path(folder)
        if is_file(folder / INDEX):
            return cls.read(folder)
        _refuse_files_of_others(folder)
        return None

    @classmethod
    def read(cls, folder: Path | str) -> "Stack":
        """The stack in `folder`.

        Raises:
            PitfallsError: there is none, or its index is damaged.
        """
        folder = Path(folder)
        index = folder / INDEX
        if not is_file(index):
            raise PitfallsError(f"no edits in {folder}: expected the --out of `pitfalls edit`")
        data = read_json(index)
        advice = "read it with the version of pitfalls that wrote it, or give another --out"
        check_version(data, "schema", SCHEMA, where=str(index), advice=advice)
        shape = check(_StackShape, data, where=str(index))
        entries = (
            Entry(e.number, e.editor, e.created, tuple(r.value() for r in e.requests))
            for e in shape.entries
        )
        return cls(folder, BaseModel(**shape.model.model_dump()), shape.made, tuple(entries))

    @property
    def requests(self) -> list[Request]:
        """What all edits were made for, in order."""
        return [request for entry in self.entries for request in entry.requests]

    def update(self, number: int) -> Update:
        """The update of one edit.

        Raises:
            PitfallsError: no such edit, or its file is damaged or of another model.
        """
        path = self.folder / self._entry(number).file
        update = Update.load(path)
        for part in update.history:
            if part.model != self.model.fingerprint:
                raise PitfallsError(
                    f"{path}: is an edit of a model with the fingerprint {part.model[:12]}…, the "
                    f"stack is of {self.model.fingerprint[:12]}…: put the stack's own file back"
                )
        return update

    def total(self) -> Update:
        """All edits as one update, in order."""
        return reduce(add, (self.update(entry.number) for entry in self.entries), Update())

    def with_edits(self, made: Sequence[Made]) -> "Stack":
        """The stack with these on top, written: all of them or none.

        Raises:
            PitfallsError: the folder cannot be written, or holds another stack by now.
        """
        self._refuse_stale()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        new = [
            Entry(number, one.editor, now, one.requests)
            for number, one in enumerate(made, start=self.made + 1)
        ]
        make_folder(self.folder)
        for entry, one in zip(new, made, strict=True):
            one.update.save(self.folder / entry.file)
        grown = replace(self, made=self.made + len(new), entries=(*self.entries, *new))
        grown._write()
        return grown

    def without(self, number: int) -> "Stack":
        """The stack without one edit, written; the other edits' files are not touched.

        Raises:
            PitfallsError: no such edit, or as `with_edits`.
        """
        gone = self._entry(number)
        self._refuse_stale()
        rest = replace(self, entries=tuple(e for e in self.entries if e.number != number))
        rest._write()
        with suppress(OSError):  # it is not part of the stack any more, so it does no harm
            (self.folder / gone.file).unlink(missing_ok=True)
        return rest

    def _entry(self, number: int) -> Entry:
        for entry in self.entries:
            if entry.number == number:
                return entry
        known = ", ".join(str(entry.number) for entry in self.entries) or "none"
        raise PitfallsError(f"no edit {number} in {self.folder}: it holds {known}")

    def _refuse_stale(self) -> None:
        """A fit takes a while, in which another command may have changed the stack."""
        there = Stack.read(self.folder) if is_file(self.folder / INDEX) else None
        if (there.entries if there else ()) != self.entries:
            raise PitfallsError(
                f"{self.folder} was changed by another command meanwhile; nothing was written: "
                "type this one again"
            )

    def _write(self) -> None:
        rows = {
            "schema": SCHEMA,
            "model": asdict(self.model),
            "made": self.made,
            "entries": [asdict(entry) for entry in self.entries],
        }
        text = json.dumps(rows, indent=2, ensure_ascii=False)
        write_bytes(self.folder / INDEX, f"{text}\n".encode())


def _refuse_files_of_others(folder: Path) -> None:
    if is_folder(folder) and any(folder.iterdir()):
        raise PitfallsError(
            f"{folder} holds files but no {INDEX}, expected a stack of edits or an empty folder; "
            "give another --out"
        )
    if folder.exists() and not folder.is_dir():
        raise PitfallsError(f"{folder} is a file, expected a folder; give another --out")

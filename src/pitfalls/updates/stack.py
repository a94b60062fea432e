"""A stack of edits on disk: each fitted on top of those before it, each removable on its own.

    DIR/stack.json          the model, and the edits in order
    DIR/0001.safetensors …  their updates, one file an edit

`stack.json` alone says what belongs to the stack and is replaced at one stroke, so that a process
that is killed leaves the stack as it was before or as it is after.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path

from pitfalls.disk import make_folder
from pitfalls.door.paths import is_file, is_folder
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.updates.base_model import BaseModel
from pitfalls.updates.request import Request
from pitfalls.updates.stack_index import INDEX, Entry, read_index, write_index
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True)
class Made:
    """An update that waits to be put on a stack."""

    requests: tuple[Request, ...]
    editor: str
    update: Update

    def __repr__(self) -> str:
        """Editor and size, on one line."""
        return f"<Made by {self.editor}: {self.update!r}>"


@dataclass(frozen=True, slots=True)
class Stack:
    """The edits in a folder. A value: adding and removing give another one, and write it."""

    folder: Path
    model: BaseModel
    made: int = 0
    """Number of edits ever put on it."""
    entries: tuple[Entry, ...] = ()

    def __repr__(self) -> str:
        """Number of edits and the model, on one line."""
        return f"<Stack {str(self.folder)!r}: {len(self.requests)} edits of {self.model.name!r}>"

    @classmethod
    def open(cls, folder: Path | str, model: LanguageModel) -> "Stack":
        """The stack in `folder`, or an empty one where there is none yet; nothing is written.

        Raises:
            PitfallsError: the folder holds edits of another model, or other files.
        """
        folder = Path(folder)
        stack = cls.found(folder)
        if stack is None:
            return cls(folder, BaseModel.of(model))
        stack.model.refuse_other_weights(model, folder=folder)
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
        if not is_file(folder / INDEX):
            raise PitfallsError(f"no edits in {folder}: expected the --out of `pitfalls edit`")
        return cls(folder, *read_index(folder / INDEX))

    def load_model(
        self,
        name: str | None = None,
        *,
        dtype: str | None = None,
        device: str = "auto",
        progress: Progress = SILENT,
    ) -> LanguageModel:
        """Load the unedited model that the stack is for.

        Args:
            name: where else to find it; the name that the stack knows if not given.
            dtype: the stack's if not given; no other is taken.
            device: as `LanguageModel.load` takes it.
            progress: told of the stages.

        Raises:
            PitfallsError: another model, or it cannot be loaded.
        """
        return self.model.load(
            folder=self.folder, name=name, dtype=dtype, device=device, progress=progress
        )

    @property
    def requests(self) -> list[Request]:
        """Requests of all edits, in order."""
        return [request for _, request in self.numbered]

    @property
    def numbered(self) -> list[tuple[int, Request]]:
        """Requests of all edits, each with the number of its edit."""
        return [(entry.number, request) for entry in self.entries for request in entry.requests]

    def entry(self, number: int) -> Entry:
        """The edit of that number.

        Raises:
            PitfallsError: no such edit.
        """
        for entry in self.entries:
            if entry.number == number:
                return entry
        known = ", ".join(str(entry.number) for entry in self.entries) or "none"
        raise PitfallsError(f"no edit {number} in {self.folder}: it holds {known}")

    def update(self, number: int) -> Update:
        """The update of one edit.

        Raises:
            PitfallsError: no such edit, or its file is damaged or of another model.
        """
        path = self.folder / self.entry(number).file
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

    def total_for(self, model: LanguageModel) -> Update:
        """All edits as one update on `model`'s device, checked to fit `model`.

        Raises:
            PitfallsError: the stack is for another model, or a file of it is damaged.
        """
        self.model.refuse_other_weights(model, folder=self.folder)
        total = self.total().to(model.device)
        total.refuse_misfit(model)
        return total

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
        gone = self.entry(number)
        self._refuse_stale()
        rest = replace(self, entries=tuple(e for e in self.entries if e.number != number))
        rest._write()
        with suppress(OSError):  # it is not part of the stack any more, so it does no harm
            (self.folder / gone.file).unlink(missing_ok=True)
        return rest

    def _refuse_stale(self) -> None:
        """A fit takes a while, in which another command may have changed the stack."""
        there = Stack.read(self.folder) if is_file(self.folder / INDEX) else None
        if (there.entries if there else ()) != self.entries:
            raise PitfallsError(
                f"{self.folder} was changed by another command meanwhile; nothing was written: "
                "type this one again"
            )

    def _write(self) -> None:
        write_index(self.folder / INDEX, self.model, self.made, self.entries)


def _refuse_files_of_others(folder: Path) -> None:
    if is_folder(folder) and any(folder.iterdir()):
        raise PitfallsError(
            f"{folder} holds files but no {INDEX}, expected a stack of edits or an empty folder; "
            "give another --out"
        )
    if folder.exists() and not folder.is_dir():
        raise PitfallsError(f"{folder} is a file, expected a folder; give another --out")

"""Conversion of a Wikidata JSON dump into a store.

The dump is read once, line by line, and the selected statements are written in parts, so memory
does not grow with the dump. A note records at intervals how many lines are done; a resumed run
skips them. All labels are kept until the end, since any entity may turn out to be an object.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pitfalls.door.compressed import numbered_bytes
from pitfalls.door.paths import is_file
from pitfalls.errors import PitfallsError, needs_extra
from pitfalls.graph.finish import finish_store
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Wanted
from pitfalls.graph.writer import StoreWriter
from pitfalls.progress import SILENT, Progress

if TYPE_CHECKING:
    from pitfalls.graph.entity import Described
else:  # needs msgspec, which only reading a dump requires
    Described: TypeAlias = object

EVERY = 50_000
"""Lines between two notes."""
_AT_A_TIME = 1_000
"""Lines between two progress reports."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Selection from a dump: the relations and the language to keep."""

    dump: Path
    relations: tuple[str, ...]
    language: str = "en"

    def as_json(self) -> Wanted:
        """JSON values, to recognise a store that was started with the same selection."""
        size = self.dump.stat().st_size
        relations, name = list(self.relations), self.dump.name
        return {"dump": name, "bytes": size, "relations": relations, "language": self.language}


def read_dump(
    wish: Wish,
    out: Path,
    *,
    every: int = EVERY,
    memory: int | None = None,
    progress: Progress = SILENT,
) -> BadLines:
    """Write the store, or resume an unfinished one, and return the lines left out.

    Args:
        wish: the dump, plain or compressed, and the selection from it.
        out: the folder of the store.
        every: lines between two notes of the progress made.
        memory: limit of DuckDB in bytes; None: a share of the free memory.
        progress: notified of the lines.

    Raises:
        PitfallsError: the dump cannot be read to its end, the folder was started with another
            selection, or a package is missing.
    """
    if not is_file(wish.dump):
        raise PitfallsError(f"{wish.dump}: no such file, expected a Wikidata dump (JSON)")
    writer = StoreWriter.begin(out, wish.as_json())
    if writer.note.stage == "reading":
        _read(wish, writer, every, progress)
    finish_store(writer, memory=memory, progress=progress)
    return writer.bad


def _read(wish: Wish, writer: StoreWriter, every: int, progress: Progress) -> None:
    keep, done = _keeper(wish, writer), writer.note.lines
    number = done
    with progress.stage(f"reading {wish.dump.name}", unit="lines") as advance:
        for number, line in numbered_bytes(wish.dump, behind=done):
            keep(number, line)
            if number % _AT_A_TIME == 0:
                advance(_AT_A_TIME)
            if number % every == 0:
                writer.keep(lines=number)
    writer.keep(lines=number, stage="read")


def _keeper(wish: Wish, writer: StoreWriter) -> Callable[[int, bytes], None]:
    """Make a function that writes the selected part of a line."""
    try:
        from pitfalls.graph.entity import entity_parser
    except ImportError:
        raise needs_extra(f"{wish.dump}: reading a dump", "msgspec") from None
    parse = entity_parser(wish.relations, wish.language)

    def keep(number: int, line: bytes) -> None:
        where = f"{wish.dump.name}: line {number}"
        try:
            found = parse(line)
        except ValueError as reason:
            writer.bad.add(where, str(reason))
            return
        if found is not None and (found.id.startswith("Q") or found.id in wish.relations):
            _put(found, where, writer)

    return keep


def _put(found: Described, where: str, writer: StoreWriter) -> None:
    if found.label:
        writer.name(where, found.id, found.label)
    for alias in found.aliases:
        writer.alias(found.id, alias)
    if found.id.startswith("Q"):
        for type in found.types:
            writer.type(found.id, type)
        for relation, object, start, end in found.facts:
            writer.fact(where, (found.id, relation, object), start, end)

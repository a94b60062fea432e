"""Writer of a source's statements to Parquet parts; memory use is that of one part.

A source may deliver names, types and facts in any order and repeatedly. Parts are numbered and
written atomically; `tables.py` turns them into a store once the source has been read.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls.disk import make_folder, write_bytes
from pitfalls.graph.graph import Triple
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Note, Stage, Wanted, begin, write_note
from pitfalls.graph.sink import EVERYTHING
from pitfalls.graph.span import parse_span

PARTS = "parts"
AT_ONCE = 200_000
"""Rows buffered for a part: about 60 MB of memory."""

_TEXT = pa.string()
SCHEMAS: Mapping[str, pa.Schema] = {
    "names": pa.schema([("id", _TEXT), ("label", _TEXT)]),
    "aliases": pa.schema([("id", _TEXT), ("alias", _TEXT)]),
    "types": pa.schema([("id", _TEXT), ("type", _TEXT)]),
    "facts": pa.schema(
        [
            *((name, _TEXT) for name in ("subject", "relation", "object")),
            *((name, pa.int64()) for name in ("start", "end")),
        ]
    ),
}


@dataclass(slots=True)
class StoreWriter:
    """Writes the parts of one store."""

    folder: Path
    note: Note
    bad: BadLines
    at_once: int = AT_ONCE
    waiting: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=lambda: {name: [] for name in SCHEMAS}
    )
    rows: int = 0
    passes = (EVERYTHING,)

    @classmethod
    def begin(cls, folder: Path, wish: Wanted, *, resume: bool = True) -> "StoreWriter":
        """Start a store, or resume one after its last note.

        Args:
            folder: the folder of the store.
            wish: everything that determines its content.
            resume: whether the source can resume after a line; otherwise it is read from the start.

        Raises:
            PitfallsError: the store was started with another selection, or cannot be written.
        """
        note = begin(folder, wish)
        if not resume and note.stage == "reading":
            note = Note(wish=wish)
        writer = cls(folder, note, note.bad_lines)
        writer._forget_the_rest()
        return writer

    def name(self, where: str, id: str, label: str) -> None:
        """Give an entity or relation its label; the first one stays."""
        self._add("names", (id, label))

    def alias(self, id: str, alias: str) -> None:
        """Add an alias of an entity or relation."""
        self._add("aliases", (id, alias))

    def type(self, id: str, type: str) -> None:
        """Add a type of an entity (instance of)."""
        self._add("types", (id, type))

    def fact(self, where: str, triple: Triple, start: str = "", end: str = "") -> None:
        """Add a fact with its start and end, as dates in Wikidata's form."""
        if (span := parse_span(start, end)) is None:
            self.bad.add(where, "not a span of time")
        else:
            self._add("facts", (*triple, *span.numbers))

    def keep(self, *, lines: int = 0, stage: Stage = "reading") -> None:
        """Write the buffered rows, and note that the source is done up to here."""
        self._flush()
        told = {"stage": stage, "lines": lines}
        bad = {"bad": dict(self.bad.counts), "examples": self.bad.examples}
        self.note = self.note.model_copy(update=told | bad)
        write_note(self.folder, self.note)

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        self.waiting[table].append(row)
        self.rows += 1
        if self.rows >= self.at_once:
            self._flush()

    def _flush(self) -> None:
        """Write a part of every table, even of those without rows, so that each table has one."""
        if not self.rows and self.note.parts:
            return
        for name, rows in self.waiting.items():
            path = part(self.folder, name, self.note.parts)
            make_folder(path.parent)
            write_bytes(path, _as_parquet(rows, SCHEMAS[name]))
            rows.clear()
        self.note.parts += 1
        self.rows = 0

    def _forget_the_rest(self) -> None:
        """Delete the leftovers of an interrupted run: uncounted parts, half-written files."""
        if self.note.stage != "reading":
            return
        done = {part(self.folder, name, n) for name in SCHEMAS for n in range(self.note.parts)}
        for path in (self.folder / PARTS).glob("*/*"):
            if path not in done:
                path.unlink()


def part(folder: Path, table: str, number: int) -> Path:
    """Path of a part."""
    return folder / PARTS / table / f"{number:06d}.parquet"


def remove_parts(folder: Path) -> None:
    """Delete all parts once the tables exist."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def _as_parquet(rows: list[tuple[Any, ...]], schema: pa.Schema) -> bytes:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(each, kind) for each, kind in zip(columns, schema.types, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content

"""Rows of text files and Parquet, compressed or not, read one at a time; bad ones are counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pitfalls.door.compressed import numbered_bytes
from pitfalls.door.parquet import text_rows
from pitfalls.errors import PitfallsError

Row: TypeAlias = tuple[str, ...]
"""Cells of the requested columns; empty where the file has none."""

SHOWN = 5
"""Bad lines shown per reason; all are counted."""


@dataclass(frozen=True, slots=True)
class BadLines:
    """Lines left out of a source: the number for each reason, and the first few places."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, where: str, reason: str) -> None:
        """Record that the line at `where` was left out."""
        self.counts[reason] += 1
        if len(shown := self.examples.setdefault(reason, [])) < SHOWN:
            shown.append(where)

    def lines(self) -> Iterator[str]:
        """One readable line per reason."""
        for reason, count in sorted(self.counts.items()):
            shown = ", ".join(self.examples[reason])
            more = ", …" if count > SHOWN else ""
            yield f"left out {count} lines: {reason} ({shown}{more})"


def numbered_lines(path: Path, bad: BadLines) -> Iterator[tuple[int, str]]:
    """Numbered lines of a UTF-8 file, without line ends; a line that is not UTF-8 is a bad line.

    Args:
        path: the file, which may be compressed.
        bad: collects the lines left out.

    Raises:
        PitfallsError: the file cannot be read or decompressed to its end.
    """
    for number, line in numbered_bytes(path):
        try:
            yield number, line.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            bad.add(f"{path.name}: line {number}", "not UTF-8")


def read_rows(
    path: Path, columns: Sequence[str], bad: BadLines, *, optional: Sequence[str] = ()
) -> Iterator[tuple[int, Row]]:
    """Rows of a table with a header, by line number (Parquet: by row, from 1 on).

    Args:
        path: .tsv, .csv or .parquet; the text files may be compressed.
        columns: required columns, in which no cell may be empty.
        bad: collects the lines left out.
        optional: further columns, which may be missing or empty.

    Raises:
        PitfallsError: the file cannot be read, or its header lacks a column.
    """
    rows = enumerate(text_rows(path)) if path.suffix == ".parquet" else _text_rows(path, bad)
    _, header = next(rows, (1, ()))
    if repeated := [name for name in (*columns, *optional) if header.count(name) > 1]:
        raise PitfallsError(f"{path}: line 1: has the column {repeated[0]!r} twice")
    if missing := [name for name in columns if name not in header]:
        raise PitfallsError(
            f"{path}: line 1: lacks the column {missing[0]!r}, expected {' '.join(columns)}"
        )
    places = {name: header.index(name) for name in (*columns, *optional) if name in header}
    for number, cells in rows:
        where = f"{path.name}: line {number}"
        if len(cells) != len(header):
            bad.add(where, f"expected {len(header)} columns")
            continue
        row = tuple(_cell(cells, places, name) for name in (*columns, *optional))
        if all(row[: len(columns)]):
            yield number, row
        else:
            bad.add(where, f"an empty cell among {' '.join(columns)}")


def _cell(cells: Sequence[str], places: Mapping[str, int], name: str) -> str:
    return cells[places[name]].strip() if name in places else ""


def _text_rows(path: Path, bad: BadLines) -> Iterator[tuple[int, Row]]:
    lines = numbered_lines(path, bad)
    if ".csv" not in path.suffixes:
        yield from ((number, tuple(line.split("\t"))) for number, line in lines if line)
        return
    import csv  # the only format whose records may span several lines

    reader = csv.reader(line for _, line in lines)
    try:
        yield from ((reader.line_num, tuple(cells)) for cells in reader if cells)
    except csv.Error as error:
        raise PitfallsError(f"{path}: line {reader.line_num}: {error}") from None

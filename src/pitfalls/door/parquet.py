"""Parquet tables, checked down to the letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError

_Read = TypeVar("_Read")


def read_table(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    filters: Sequence[Any] | None = None,
    advice: str,
) -> pa.Table:
    """A whole table, or some columns of those of its rows that pass the filters.

    Args:
        path: the file.
        columns: which; None takes all.
        filters: as `pyarrow.parquet.read_table` takes them.
        advice: what to do about a damaged file.

    Raises:
        PitfallsError: missing, cut off, damaged, or with texts that are not UTF-8.
    """

    def read() -> pa.Table:
        options: dict[str, Any] = {
            "columns": columns,
            "filters": filters,
            "page_checksum_verification": True,
        }
        found = pq.read_table(path, partitioning=None, **options)
        found.validate(full=True)
        return found

    return _told(read, path, advice)


@dataclass(frozen=True, slots=True)
class Outline:
    """What a table says of itself at its end."""

    columns: Mapping[str, pa.DataType]
    rows: int
    highest: Mapping[str, Any]
    """Column → its highest value, where that was noted."""


def outline(path: Path, *, advice: str) -> Outline:
    """The columns of a table and how many rows it has, without reading these.

    Raises:
        PitfallsError: missing, cut off, or no Parquet.
    """

    def read() -> Outline:
        with pq.ParquetFile(path) as file:
            told, schema = file.metadata, file.schema_arrow
        highest: dict[str, Any] = {}
        for group in map(told.row_group, range(told.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                found = column.statistics
                if found is not None and found.has_min_max:
                    name = column.path_in_schema
                    highest[name] = max(found.max, highest.get(name, found.max))
        columns = dict(zip(schema.names, schema.types, strict=True))
        return Outline(columns, told.num_rows, highest)

    return _told(read, path, advice)


def verify(path: Path, *, advice: str) -> None:
    """Read a table to its end, a piece at a time, and keep nothing of it.

    Raises:
        PitfallsError: missing, cut off, damaged, or with texts that are not UTF-8.
    """

    def read() -> None:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches():
                batch.validate(full=True)

    _told(read, path, advice)


def text_rows(path: Path) -> Iterator[tuple[str, ...]]:
    """Names of the columns, then the rows as texts, empty where there is no value.

    Raises:
        PitfallsError: missing, damaged, or a column that is no text.
    """
    advice = "expected a Parquet table of texts"
    file = _told(lambda: pq.ParquetFile(path), path, advice)
    with file:
        yield tuple(file.schema_arrow.names)
        batches = file.iter_batches()
        while (columns := _told(lambda: _texts(next(batches, None)), path, advice)) is not None:
            yield from zip(*columns, strict=True)


def _texts(batch: pa.RecordBatch | None) -> list[list[str]] | None:
    if batch is None:
        return None
    batch.validate(full=True)
    columns = (column.cast(pa.string()).to_pylist() for column in batch.columns)
    return [[cell or "" for cell in column] for column in columns]


def _told(read: Callable[[], _Read], path: Path, advice: str) -> _Read:
    try:
        return read()
    except (OSError, ValueError, pa.ArrowException) as error:
        why = reason_of(error)
        raise PitfallsError(f"{path} is damaged or no Parquet ({why}); {advice}") from None

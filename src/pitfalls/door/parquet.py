"""Parquet tables, validated down to their texts."""

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
    """Read a table, or some columns of the rows that pass the filters.

    Args:
        path: the file.
        columns: columns to read; None: all.
        filters: as `pyarrow.parquet.read_table` takes them.
        advice: advice to the user about a damaged file.

    Raises:
        PitfallsError: missing, truncated, damaged, or with texts that are not UTF-8.
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
    """Metadata from a table's footer."""

    columns: Mapping[str, pa.DataType]
    rows: int
    highest: Mapping[str, Any]
    """Column → its highest value, where the footer records it."""


def outline(path: Path, *, advice: str) -> Outline:
    """Read the metadata of a table, but none of its rows.

    Raises:
        PitfallsError: missing, truncated, or not Parquet.
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
    """Read a table to its end, batch by batch, without keeping it.

    Raises:
        PitfallsError: missing, truncated, damaged, or with texts that are not UTF-8.
    """

    def read() -> None:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches():
                batch.validate(full=True)

    _told(read, path, advice)


def text_rows(path: Path) -> Iterator[tuple[str, ...]]:
    """Column names, then the rows as texts, empty where there is no value.

    Raises:
        PitfallsError: missing, damaged, or a column that is not text.
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
        raise PitfallsError(f"{path} is damaged or not Parquet ({why}); {advice}") from None

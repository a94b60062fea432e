"""Parquet tables, checked down to the letters."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls.door.text import shortened
from pitfalls.errors import PitfallsError

_Read = TypeVar("_Read")


def read_table(path: Path, *, filters: Sequence[Any] | None = None, advice: str) -> pa.Table:
    """A whole table, or those of its rows that pass the filters.

    Args:
        path: the file.
        filters: as `pyarrow.parquet.read_table` takes them.
        advice: what to do about a damaged file.

    Raises:
        PitfallsError: missing, cut off, damaged, or with texts that are not UTF-8.
    """

    def read() -> pa.Table:
        options: dict[str, Any] = {"filters": filters, "page_checksum_verification": True}
        found = pq.read_table(path, partitioning=None, **options)
        found.validate(full=True)
        return found

    return _told(read, path, advice)


def parquet_shape(path: Path, *, advice: str) -> tuple[pa.Schema, int]:
    """The columns of a table and how many rows it has, without reading them.

    Raises:
        PitfallsError: missing, cut off, or no Parquet.
    """

    def read() -> tuple[pa.Schema, int]:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow, int(file.metadata.num_rows)

    return _told(read, path, advice)


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
        while (batch := _told(lambda: next(batches, None), path, advice)) is not None:
            columns = _told(lambda found=batch: _texts(found), path, advice)
            yield from zip(*columns, strict=True)


def _texts(batch: pa.RecordBatch) -> list[list[str]]:
    batch.validate(full=True)
    columns = (column.cast(pa.string()).to_pylist() for column in batch.columns)
    return [[cell or "" for cell in column] for column in columns]


def _told(read: Callable[[], _Read], path: Path, advice: str) -> _Read:
    try:
        return read()
    except (OSError, ValueError, pa.ArrowException) as error:
        why = shortened(" ".join(str(error).split()))
        raise PitfallsError(f"{path} is damaged or no Parquet ({why}); {advice}") from None

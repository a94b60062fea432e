"""Selection of rows from the tables of a store."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from pitfalls.door.parquet import read_table

Select: TypeAlias = Callable[
    [Path, Sequence[str], Mapping[str, Collection[int] | Collection[str]]], pa.Table
]
"""Reads the given columns of the rows that have one of the wanted values in each given column.

Takes the table's file, the columns and the wanted values, of which there is at least one.
"""
ADVICE = "make the store again"


def read_selected(
    path: Path,
    columns: Sequence[str],
    wanted: Mapping[str, Collection[int] | Collection[str]],
) -> pa.Table:
    """`Select` by pyarrow, on this machine.

    Raises:
        PitfallsError: the table is missing or damaged.
    """
    chosen: list[Any] = [(column, "in", set(values)) for column, values in wanted.items()]
    return read_table(path, columns=columns, filters=chosen or None, advice=ADVICE)

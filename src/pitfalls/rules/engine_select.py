"""Selection from a store's tables by an engine, for graphs that this machine cannot read whole."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from pitfalls.graph.select import Select
from pitfalls.rules.engine import Engine


def select_by(engine: Engine) -> Select:
    """Make the function that reads some rows of a Parquet table by the engine."""

    def select(
        path: Path,
        columns: Sequence[str],
        wanted: Mapping[str, Collection[int] | Collection[str]],
    ) -> pa.Table:
        import ibis

        with warnings.catch_warnings():
            # Ibis still asks DuckDB for the columns by a deprecated name.
            warnings.simplefilter("ignore", DeprecationWarning)
            rows = engine.backend.read_parquet(str(path.resolve()))
        for column, values in wanted.items():
            told = pa.table({column: sorted(values)}).cast(
                pa.schema([(column, rows.schema()[column].to_pyarrow())])
            )
            rows = rows.semi_join(ibis.memtable(told), column)
        return engine.table(rows.select(*columns))

    return select

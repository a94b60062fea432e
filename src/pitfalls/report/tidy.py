"""Scores, comparisons and cases as tidy rows: an Arrow table, from which pandas and polars read."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pitfalls.metrics.comparison import Comparison
from pitfalls.metrics.scores import Score
from pitfalls.report.layout import collection_of
from pitfalls.report.paper import paper_editors, paper_models


def score_table(scores: Sequence[Score], **more: Sequence[Any]) -> pa.Table:
    """A row a score; `paper` holds the published number where model and data are the paper's.

    Args:
        scores: of any number of runs.
        more: further columns, a value for each score.
    """
    rows = [one.as_json() | {"paper": paper_value(one)} for one in scores]
    rows = [row | {name: more[name][i] for name in more} for i, row in enumerate(rows)]
    return _table(rows)


def comparison_table(comparisons: Sequence[Comparison]) -> pa.Table:
    """A row a comparison."""
    return _table([one.as_json() for one in comparisons])


def paper_value(score: Score) -> float | None:
    """The paper's number for the same model, data, editor and metric, as a fraction."""
    editor = paper_editors().get(score.editor, score.editor)
    place = (editor, score.kind, score.metric)
    for model in paper_models():
        if model.is_of(score.model, collection_of(score.data)):
            return next(
                (n.value for n in model.numbers if (n.editor, n.kind, n.metric) == place), None
            )
    return None


def as_csv(table: pa.Table) -> str:
    """With a line of names; fractions, empty where a number is undefined."""
    stream = io.BytesIO()
    pa_csv.write_csv(table, stream)
    return stream.getvalue().decode()


def as_parquet(table: pa.Table) -> bytes:
    """The bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Numbers are float64 even if none is there; what has an inside is JSON."""
    columns: dict[str, pa.Array] = {}
    for name in rows[0] if rows else ():
        values = [_flat(row[name]) for row in rows]
        nothing = all(value is None for value in values)
        columns[name] = pa.array(values, type=pa.float64() if nothing else None)
    return pa.table(columns)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value

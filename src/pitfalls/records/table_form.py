"""Records as the rows of a Parquet table, and back, and tables of older schemas as newer ones."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pitfalls.door.values import parse_json
from pitfalls.records.record import Fit, Reading, Record

_LOGPROBS_ONLY = (
    pa.field("state", pa.string(), nullable=False),
    pa.field("probe", pa.string(), nullable=False),
    pa.field("target", pa.string(), nullable=False),
    pa.field("logprobs", pa.list_(pa.list_(pa.float32())), nullable=False),
)
_TEXTS = pa.field("texts", pa.list_(pa.string()), nullable=False)
_FIT = pa.struct(
    [
        pa.field("state", pa.string(), nullable=False),
        pa.field("losses", pa.list_(pa.float64()), nullable=False),
        pa.field("norms", pa.map_(pa.string(), pa.float64()), nullable=False),
    ]
)


def _schema(*reading: pa.Field) -> pa.Schema:
    return pa.schema(
        [
            pa.field("case_id", pa.string(), nullable=False),
            pa.field("editor", pa.string(), nullable=False),
            pa.field("data", pa.string(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("case", pa.string(), nullable=False),
            pa.field("readings", pa.list_(pa.struct(reading)), nullable=False),
            pa.field("fits", pa.list_(_FIT), nullable=False),
            pa.field("failure", pa.string()),
            pa.field("seconds", pa.list_(pa.float64()), nullable=False),
        ]
    )


SCHEMA = _schema(*_LOGPROBS_ONLY, _TEXTS)
"""`case` is JSON. `seconds`, a number per fit, stands apart from `fits` because it is the only
thing that differs between equal runs: drop the column and compare the rest bit for bit."""
_SCHEMA_1 = _schema(*_LOGPROBS_ONLY)
"""Tables of schema 1: readings are log-probabilities, never text."""


def to_table(records: Sequence[Record]) -> pa.Table:
    """The records as a table of `SCHEMA`; log-probabilities are rounded to float32."""
    return pa.Table.from_pylist([_row(record) for record in records], schema=SCHEMA)


def up_to_date(table: pa.Table) -> pa.Table | None:
    """The table with the columns of `SCHEMA`, whatever schema it was written in; None if unknown.

    A table of schema 1 gets readings without text. Nothing else of it changes.
    """
    if table.schema.equals(SCHEMA):
        return table
    if not table.schema.equals(_SCHEMA_1):
        return None
    place = table.schema.get_field_index("readings")
    rows = table["readings"].combine_chunks()
    flat = rows.flatten()
    none = pa.array(np.zeros(len(flat) + 1, dtype=np.int32))
    texts = pa.ListArray.from_arrays(none, pa.array([], pa.string()))
    fields = [*_LOGPROBS_ONLY, _TEXTS]
    columns = [*(flat.field(field.name) for field in _LOGPROBS_ONLY), texts]
    readings = pa.StructArray.from_arrays(columns, fields=fields)
    offsets = pa.array(np.concatenate([[0], np.cumsum(_lengths(rows))]), type=pa.int32())
    listed = pa.ListArray.from_arrays(offsets, readings)
    return table.set_column(place, SCHEMA.field("readings"), listed)


def _lengths(rows: pa.ListArray) -> NDArray[np.int64]:
    return np.asarray(pc.list_value_length(rows), dtype=np.int64)


def from_table(table: pa.Table) -> list[Record]:
    """The records of a table of `SCHEMA`."""
    return [_record(row) for row in table.to_pylist(maps_as_pydicts="strict")]


def _row(record: Record) -> dict[str, Any]:
    """Keys are sorted wherever their order means nothing, so that equal records are equal bytes."""
    return {
        "case_id": record.case_id,
        "editor": record.editor,
        "data": record.data,
        "kind": record.kind,
        "case": json.dumps(record.case, ensure_ascii=False, sort_keys=True),
        "readings": [
            {
                "state": reading.state,
                "probe": reading.probe,
                "target": reading.target,
                "logprobs": reading.logprobs,
                "texts": reading.texts,
            }
            for reading in record.readings
        ],
        "fits": [
            {"state": fit.state, "losses": fit.losses, "norms": sorted(fit.norms.items())}
            for fit in record.fits
        ],
        "failure": record.failure,
        "seconds": [fit.seconds for fit in record.fits],
    }


def _record(row: dict[str, Any]) -> Record:
    readings = (
        Reading(
            state=reading["state"],
            probe=reading["probe"],
            target=reading["target"],
            logprobs=tuple(tuple(tokens) for tokens in reading["logprobs"]),
            texts=tuple(reading["texts"]),
        )
        for reading in row["readings"]
    )
    fits = (
        Fit(fit["state"], tuple(fit["losses"]), fit["norms"], seconds)
        for fit, seconds in zip(row["fits"], row["seconds"], strict=True)
    )
    return Record(
        case_id=row["case_id"],
        editor=row["editor"],
        data=row["data"],
        kind=row["kind"],
        case=parse_json(row["case"], where=f"case {row['case_id']}"),
        readings=tuple(readings),
        fits=tuple(fits),
        failure=row["failure"],
    )

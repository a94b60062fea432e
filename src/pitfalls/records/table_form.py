"""Records as the rows of a Parquet table, and back."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pitfalls.door.values import parse_json
from pitfalls.records.record import Fit, Reading, Record

_READING = pa.struct(
    [
        pa.field("state", pa.string(), nullable=False),
        pa.field("probe", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("logprobs", pa.list_(pa.list_(pa.float32())), nullable=False),
    ]
)
_FIT = pa.struct(
    [
        pa.field("state", pa.string(), nullable=False),
        pa.field("losses", pa.list_(pa.float64()), nullable=False),
        pa.field("norms", pa.map_(pa.string(), pa.float64()), nullable=False),
    ]
)
SCHEMA = pa.schema(
    [
        pa.field("case_id", pa.string(), nullable=False),
        pa.field("editor", pa.string(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("case", pa.string(), nullable=False),
        pa.field("readings", pa.list_(_READING), nullable=False),
        pa.field("fits", pa.list_(_FIT), nullable=False),
        pa.field("failure", pa.string()),
        pa.field("seconds", pa.list_(pa.float64()), nullable=False),
    ]
)
"""`case` is JSON. `seconds`, a number per fit, stands apart from `fits` because it is the only
thing that differs between equal runs: drop the column and compare the rest bit for bit."""


def to_table(records: Sequence[Record]) -> pa.Table:
    """The records as a table of `SCHEMA`; log-probabilities are rounded to float32."""
    return pa.Table.from_pylist([_row(record) for record in records], schema=SCHEMA)


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

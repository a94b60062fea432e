"""A run of schema 1, as the last version that wrote it left it, is read, scored and gone on with.

`schema_1` holds one case of every kind under FT on a tiny model, and the scores that the same
version gave them.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pitfalls.metrics.scores import score
from pitfalls.records.header import SCHEMA_VERSION
from pitfalls.records.observation import observe_run
from pitfalls.records.record import Reading, Record
from pitfalls.records.run_directory import RunDirectory
from pitfalls.records.table_form import SCHEMA, to_table, up_to_date
from pitfalls.vocabulary import PRESETS, Preset

FROZEN = Path(__file__).parent / "schema_1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy that may be written to."""
    shutil.copytree(FROZEN, tmp_path / "run")
    (tmp_path / "run" / "scores.json").unlink()
    return tmp_path / "run"


def scores(path: Path, preset: Preset) -> list[dict[str, Any]]:
    frozen = json.loads((FROZEN / "scores.json").read_text("utf-8"))
    rows = [one.as_json() for one in score(observe_run(RunDirectory.read(path)), preset=preset)]
    return [{key: row[key] for key in frozen[0]} for row in rows]


def test_the_frozen_parts_are_of_schema_1() -> None:
    assert json.loads((FROZEN / "run.json").read_text("utf-8"))["schema_version"] == 1
    files = sorted((FROZEN / "records").glob("*.parquet"))
    assert len(files) == 5
    for file in files:
        reading = pq.read_schema(file).field("readings").type.value_type
        assert [field.name for field in reading] == ["state", "probe", "target", "logprobs"]


@pytest.mark.parametrize("preset", PRESETS)
def test_it_has_the_scores_that_it_had(preset: Preset) -> None:
    frozen = json.loads((FROZEN / "scores.json").read_text("utf-8"))
    expected = [row for row in frozen if row["preset"] == preset]
    assert expected and scores(FROZEN, preset) == expected


def test_its_rows_are_what_they_were() -> None:
    run = RunDirectory.read(FROZEN)
    for part in run.parts():
        file = FROZEN / "records" / f"{part}.parquet"
        then, now = pq.read_table(file).to_pylist(), run.table(part)
        assert now.schema.equals(SCHEMA)
        rows = now.to_pylist()
        assert [reading.pop("texts") for row in rows for reading in row["readings"]] == [
            [] for row in rows for _ in row["readings"]
        ]
        assert rows == then


def test_a_slice_of_an_old_table_is_brought_up_to_date_as_itself() -> None:
    tables = [pq.read_table(file) for file in sorted((FROZEN / "records").glob("*.parquet"))]
    for table in tables:
        assert up_to_date(table.slice(1)).num_rows == table.num_rows - 1
        assert up_to_date(table.slice(0, 1)).equals(up_to_date(table).slice(0, 1))


def test_parts_of_both_schemas_stand_side_by_side(old: Path) -> None:
    before = RunDirectory.read(old)
    run = RunDirectory.open(old, before.header)
    assert run.header.schema_version == SCHEMA_VERSION
    assert RunDirectory.read(old).header == run.header
    told = Reading("theta0", "answer", "", texts=("Paris", ""))
    new = Record("new", "ft", "conflict/coverage", "coverage", {}, (told,), ())
    run.write("conflict-coverage.ft.00001", [new])
    assert [record for record in run.records() if record.case_id == "new"] == [new]
    assert len(list(run.records())) == 6
    for preset in PRESETS:
        found = scores(old, preset)
        assert {row["data"] for row in found} == {row["data"] for row in scores(FROZEN, preset)}


def test_columns_of_no_schema_are_not_guessed_at() -> None:
    table = to_table([])
    assert up_to_date(table.drop_columns("failure")) is None

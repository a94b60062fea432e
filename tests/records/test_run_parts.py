"""Parts of a run are written whole, read back as they were, and named where they are damaged."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import PART, header, record

from pitfalls.errors import PitfallsError
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.records.run_directory import RunDirectory, part_name
from pitfalls.vocabulary import CASE_KINDS, STATES

float32s = st.floats(width=32, allow_nan=False)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
# Plain values only: a checked class inside a strategy draws its own random numbers, which
# hypothesis cannot replay.
logprobs = st.lists(st.lists(float32s, max_size=3).map(tuple), max_size=3).map(tuple)
written = st.lists(texts, max_size=2).map(tuple)
readings = st.tuples(st.sampled_from(STATES), texts, texts, logprobs, written)
norms = st.dictionaries(texts, st.floats(allow_nan=False), max_size=3)
losses = st.lists(st.floats(allow_nan=False), max_size=3).map(tuple)
fits = st.tuples(st.sampled_from(STATES), losses, norms, st.floats(0, 1e6))
rows = st.tuples(
    texts,
    texts,
    texts,
    st.sampled_from(CASE_KINDS),
    st.dictionaries(texts, json_values, max_size=3),
    st.lists(readings, max_size=3),
    st.lists(fits, max_size=2),
    st.none() | texts,
)


def built(row: tuple[Any, ...]) -> Record:
    *head, readings_, fits_, failure = row
    return Record(
        *head, tuple(Reading(*one) for one in readings_), tuple(Fit(*one) for one in fits_), failure
    )


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(rows, max_size=3))
def test_what_is_written_is_read(
    drawn: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = [built(row) for row in drawn]
    run = RunDirectory.open(tmp_path_factory.mktemp("run") / "a", header())
    run.write(PART, written)
    assert run.has(PART)
    assert list(run.records()) == written


def test_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    one = record(case={"a": 1, "b": 2}, fits=(Fit("theta_m", (), {"x": 1.0, "y": 2.0}, 0.1),))
    other = record(case={"b": 2, "a": 1}, fits=(Fit("theta_m", (), {"y": 2.0, "x": 1.0}, 0.1),))
    assert one == other
    files = []
    for name, row in (("a", one), ("b", other)):
        run = RunDirectory.open(tmp_path / name, header())
        run.write(PART, [row])
        files.append((tmp_path / name / "records" / f"{PART}.parquet").read_bytes())
    assert files[0] == files[1]


def test_only_seconds_differ_between_equal_runs(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "a", header())
    for part, seconds in (("one", 0.1), ("two", 7.5)):
        run.write(part, [record(fits=(Fit("theta_m", (1.0,), {"w": 2.0}, seconds),))])
    one, two = (run.table(part).drop_columns("seconds") for part in run.parts())
    assert one.equals(two)
    assert not run.table("one").equals(run.table("two"))


def test_parts_and_records_come_in_one_order(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "a", header())
    for chunk in (2, 0, 1):
        rows = [record(case_id=f"{chunk}-{row}") for row in (1, 0)]
        run.write(part_name("starter:conflict/coverage", "rome", chunk), rows)
    assert [row.case_id for row in run.records()] == ["0-1", "0-0", "1-1", "1-0", "2-1", "2-0"]
    assert run.parts() == sorted(run.parts())


def test_a_part_that_was_never_written_is_not_there(tmp_path: Path) -> None:
    assert not RunDirectory.open(tmp_path / "a", header()).has(PART)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_part_is_named(tmp_path: Path, keep: int) -> None:
    run = RunDirectory.open(tmp_path / "a", header())
    run.write(PART, [record()])
    file = tmp_path / "a" / "records" / f"{PART}.parquet"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(
        PitfallsError, match=rf"{file}.*damaged.*delete it and run .* again"
    ) as told:
        run.has(PART)
    assert "\n" not in str(told.value)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "a", header())
    run.write(PART, [record()])
    file = tmp_path / "a" / "records" / f"{PART}.parquet"
    content = bytearray(file.read_bytes())
    content[60] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(PitfallsError, match="damaged"):
        list(run.records())


def test_what_a_killed_run_left_is_ignored_and_removed(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "a", header())
    run.write(PART, [record()])
    leftovers = [
        tmp_path / "a" / ".run.json.7.tmp",
        tmp_path / "a/records" / f".{PART}x.parquet.7.tmp",
    ]
    for file in leftovers:
        file.write_bytes(b"half")
    assert run.parts() == [PART]
    again = RunDirectory.open(tmp_path / "a", header())
    assert again.parts() == [PART]
    assert not any(file.exists() for file in leftovers)


def test_a_run_killed_before_its_first_file_can_be_started_again(tmp_path: Path) -> None:
    (tmp_path / "a" / "records").mkdir(parents=True)
    (tmp_path / "a" / ".run.json.7.tmp").write_bytes(b"{")
    assert RunDirectory.open(tmp_path / "a", header()).parts() == []
    assert not list((tmp_path / "a").glob("*.tmp"))

"""A run on disk survives being killed, resumed, damaged and mistaken for another."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.records.header import DataInfo, ModelInfo, MomentInfo, RunHeader
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.records.run_directory import RunDirectory, part_name
from pitfalls.vocabulary import CASE_KINDS, STATES

PART = part_name("starter:conflict/coverage", "rome", 3)


def header(**changes: object) -> RunHeader:
    settings_ = {
        "created": "2024-05-01T12:00:00+00:00",
        "config": {"cases": 4, "editor": {"steps": 20}},
        "seed": 0,
        "model": ModelInfo(name="tiny", fingerprint="abc", dtype="float32"),
        "editors": {"rome": {"layer": 3}},
        "contexts": {"rome": ("{}", "Yes. {}")},
        "data": {"starter:conflict/coverage": DataInfo(checksum="123", cases=4)},
        "packages": {"torch": "2.6.0"},
    }
    return RunHeader(**(settings_ | changes))


def record(**changes: object) -> Record:
    values = {
        "case_id": "coverage-00000",
        "editor": "rome",
        "data": "starter:conflict/coverage",
        "kind": "coverage",
        "case": {"id": "coverage-00000", "first": {"subject": {"id": "Q1"}}, "rule": None},
        "readings": (Reading("theta0", "old", "Zürich", ((-1.5, -0.25), (-2.0,))),),
        "fits": (Fit("theta_m", (3.5, 0.25), {"w.3": 1.25}, 0.5),),
    }
    return Record(**(values | changes))


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
readings = st.tuples(st.sampled_from(STATES), texts, texts, logprobs)
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


def test_the_same_configuration_resumes(tmp_path: Path) -> None:
    RunDirectory.open(tmp_path / "a", header()).write(PART, [record()])
    again = RunDirectory.open(tmp_path / "a", header(created="2025-01-01T00:00:00+00:00"))
    assert again.has(PART)
    assert again.header.created == header().created
    assert again == RunDirectory.read(tmp_path / "a")


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"config": {"cases": 5, "editor": {"steps": 20}}}, "cases was 4, now 5"),
        ({"config": {"cases": 4, "editor": {"steps": 9}}}, "editor.steps was 20, now 9"),
        ({"config": {"cases": 4}}, "editor.steps was 20, now not set"),
        ({"editors": {"rome": {"layer": 5}}}, "editors.rome.layer was 3, now 5"),
        (
            {"editors": {"rome": {"layer": 3}, "ft": {"lr": 0.1}}},
            "editors.ft.lr was not set, now 0.1",
        ),
        (
            {"model": ModelInfo(name="tiny", fingerprint="xyz", dtype="float32")},
            "model.fingerprint was abc, now xyz",
        ),
    ],
)
def test_another_configuration_is_refused_by_name(
    tmp_path: Path, changes: dict[str, object], difference: str
) -> None:
    RunDirectory.open(tmp_path / "a", header())
    with pytest.raises(PitfallsError) as told:
        RunDirectory.open(tmp_path / "a", header(**changes))
    assert str(told.value) == (
        f"{tmp_path / 'a'} was made with another configuration: {difference}; "
        "give another --out or the same settings"
    )


def test_many_or_long_differences_stay_one_readable_line(tmp_path: Path) -> None:
    RunDirectory.open(tmp_path / "a", header())
    config = {f"option_{i}": "long " * 100 for i in range(30)}
    with pytest.raises(PitfallsError, match=r"and \d+ more; give") as told:
        RunDirectory.open(tmp_path / "a", header(config=config))
    assert len(str(told.value)) < 1200
    assert "\n" not in str(told.value)


def test_other_package_versions_resume_and_are_kept(tmp_path: Path) -> None:
    RunDirectory.open(tmp_path / "a", header())
    newer = header(packages={"torch": "2.7.0"})
    for _ in range(2):
        run = RunDirectory.open(tmp_path / "a", newer)
    assert run.header.packages == {"torch": "2.6.0"}
    assert run.header.resumed_with == ({"torch": "2.7.0"},)
    assert RunDirectory.read(tmp_path / "a").header == run.header


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(PitfallsError, match=r"holds files but no run\.json"):
        RunDirectory.open(tmp_path, header())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not valid JSON"),
        ("\xff", "is not UTF-8 text"),
        ("[]", "schema_version: is None, expected 2"),
        ('{"schema_version": 99}', "schema_version: is 99, expected 2"),
        ('{"schema_version": true}', "schema_version: is True, expected 2"),
        ('{"schema_version": 1.0}', "schema_version: is 1.0, expected 2"),
        ('{"schema_version": 1, "config": ' + "[" * 5000, "nested too deeply"),
        ('{"schema_version": 1, "seed": 0}', "is damaged: created"),
    ],
)
def test_a_header_that_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "run.json").write_text(content, encoding="latin-1")
    with pytest.raises(PitfallsError, match=told) as error:
        RunDirectory.read(tmp_path)
    assert str(tmp_path / "run.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_no_run_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match=r"no run in .*pitfalls run"):
        RunDirectory.read(tmp_path / "nowhere")


def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory.open(tmp_path / "a", header())

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PitfallsError, match=r"cannot write .*No space left on device; free"):
        run.write(PART, [record()])
    assert not list((tmp_path / "a" / "records").iterdir())


def test_an_out_below_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PitfallsError, match=r"cannot write .*Not a directory"):
        RunDirectory.open(tmp_path / "file" / "a", header())


def test_part_names() -> None:
    assert PART == "starter-conflict-coverage.rome.00003"
    assert part_name("round/hard", "memit+mle", 12) == "round-hard.memit+mle.00012"
    assert part_name("/x/a b.json", "ft", 0) != part_name("/x/a-b.json", "ft", 0)


def moments(**changes: Any) -> dict[int, MomentInfo]:
    return {3: MomentInfo(**({"tokens": 64, "change": 0.08, "end": "settled"} | changes))}


def test_second_moments_are_noted_when_an_editor_begins(tmp_path: Path):
    directory = RunDirectory.open(tmp_path / "run", header())
    directory.with_moments("ft", {}).with_moments("rome", moments())
    again = RunDirectory.open(tmp_path / "run", header())
    assert again.header.moments == {"ft": {}, "rome": moments()}
    # How much they change is rounded differently elsewhere, and no reason to refuse.
    assert again.with_moments("rome", moments(change=0.080001)).header == again.header


def test_records_made_with_other_second_moments_are_not_gone_on_with(tmp_path: Path):
    directory = RunDirectory.open(tmp_path / "run", header())
    directory = directory.with_moments("rome", moments())
    with pytest.raises(PitfallsError, match="rome made with other second moments"):
        directory.with_moments("rome", moments(tokens=65))
    with pytest.raises(PitfallsError, match="rome made with other second moments"):
        directory.with_moments("rome", moments(end="text"))


def test_records_from_before_second_moments_were_noted_are_not_gone_on_with(tmp_path: Path):
    directory = RunDirectory.open(tmp_path / "run", header())
    directory.write(part_name("starter:conflict/coverage", "rome", 0), [record()])
    with pytest.raises(PitfallsError, match="rome made with other second moments"):
        directory.with_moments("rome", moments())
    assert directory.with_moments("ft", {}).header.moments == {"ft": {}}

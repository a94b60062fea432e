"""A run on disk is resumed by its own configuration, and not mistaken for another."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from made_runs import PART, header, record

from pitfalls.errors import PitfallsError
from pitfalls.records.header import ModelInfo, MomentInfo
from pitfalls.records.run_directory import RunDirectory, part_name


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
        ("[]", "schema_version: is None, expected 1 or 2"),
        ('{"schema_version": 99}', "schema_version: is 99, expected 1 or 2"),
        ('{"schema_version": true}', "schema_version: is True, expected 1 or 2"),
        ('{"schema_version": 1.0}', "schema_version: is 1.0, expected 1 or 2"),
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


def test_an_old_runs_auto_is_todays_spread_and_no_other_device() -> None:
    was, now = ({"cases": 4, "device": device} for device in ("auto", "spread"))
    assert header(config=was).differences(header(config=now)) == []
    told = header(config=was).differences(header(config={"cases": 4, "device": "cpu"}))
    assert told == ["device was spread, now cpu"]

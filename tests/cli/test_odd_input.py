"""Whatever is typed or read: an exit status that means something, and never a traceback."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import NEWS, Answer, CommandLine
from odd import COMMANDS, FILES, WORDS, damaged_updates, make_sound, write_update

from pitfalls.editors.update import Update

sys.path.append(str(Path(__file__).parents[1] / "report"))
from runs_on_disk import make_run

LEFT_OUT = re.compile(r"left out \d+ lines: .*")
LONGEST = 1200
"""Characters of a complaint; what is longer repeats what came without end."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """A folder with every file that the tables name."""
    folder = tmp_path_factory.mktemp("sound")
    make_sound(folder, tiny_folder, make_run)
    return folder


@pytest.fixture
def here(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, which is the working directory and no home of anybody."""
    folder = tmp_path / "here"
    shutil.copytree(sound, folder)
    monkeypatch.chdir(folder)
    yield folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(pitfalls: CommandLine, words: list[str], here: Path) -> Answer:
    """What any command must keep to."""
    before = contents(here)
    answer = pitfalls(*words)
    assert answer.status in (0, 1, 2, 3, 130)
    if answer.status == 2:
        *news, told = answer.err.splitlines()
        assert told.startswith("pitfalls: ") and len(told) < LONGEST
        assert [x for x in news if not (NEWS.fullmatch(x) or LEFT_OUT.fullmatch(x))] == []
        after = contents(here)
        assert {path: after.get(path) for path in before} == before
    return answer


def filled(command: str, here: Path, word: str = "") -> list[str]:
    places = {"tmp": str(here), "out": str(here / "out")}
    typed = word.replace("{tmp}", str(here))
    return [part.format_map(places).replace("?", typed) for part in command.split()]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_odd_words(command: str, word: str, here: Path, pitfalls: CommandLine) -> None:
    check(pitfalls, filled(command, here, WORDS[word]), here)


READ = [
    (read.file, command, what)
    for read in FILES
    for command in read.commands
    for what, _ in read.damages()
]


@pytest.mark.parametrize(("file", "command", "what"), READ)
def test_damaged_files(
    file: str, command: str, what: str, here: Path, pitfalls: CommandLine
) -> None:
    damage = dict(next(read for read in FILES if read.file == file).damages())[what]
    path = here / file
    path.write_bytes(damage(path.read_bytes()))
    check(pitfalls, filled(command, here), here)


@pytest.mark.parametrize("read", FILES, ids=lambda read: read.file)
def test_files_that_are_missing_or_folders(read, here: Path, pitfalls: CommandLine) -> None:
    (here / read.file).unlink()
    for command in read.commands:
        check(pitfalls, filled(command, here), here)
    (here / read.file).mkdir()
    for command in read.commands:
        check(pitfalls, filled(command, here), here)


@pytest.mark.parametrize("command", sorted({each for read in FILES for each in read.commands}))
def test_sound_files_are_taken(command: str, here: Path, pitfalls: CommandLine) -> None:
    answer = check(pitfalls, filled(command, here), here)
    if "none" in command:
        assert "none does not exist" in answer.complaint
    elif "dump" in command or "--kind" in command:
        assert answer.status == 2
    else:
        assert answer.status == 0, answer.err


def test_updates_that_do_not_belong_to_the_stack(
    here: Path, tiny_folder: Path, pitfalls: CommandLine
) -> None:
    file = here / "stack" / "0002.safetensors"
    sound = Update.load(file)
    show = f"edit --show --out {here}/stack --text {here}/text.txt --text-tokens 64"
    assert pitfalls(*show.split()).status in (0, 3)
    for what, tensors, history in damaged_updates(sound):
        write_update(file, tensors, history)
        assert check(pitfalls, show.split(), here).status == 2, what

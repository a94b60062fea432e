"""Whatever is typed or read: an exit status that means something, and never a traceback."""

import json
import re
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import NEWS, Answer, CommandLine
from odd import COMMANDS, WORDS
from odd_files import FILES, Read
from sound_files import damaged_updates, make_sound, write_update

from pitfalls.updates.update import Update

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
def here(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working directory."""
    folder = tmp_path / "here"
    shutil.copytree(sound, folder)
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def filled(command: str, here: Path, word: str = "", *, out: str = "out") -> list[str]:
    """The words of a command, its places filled in."""
    places = {"tmp": str(here), "out": str(here / out)}
    typed = word.replace("{tmp}", str(here))
    return [part.format_map(places).replace("?", typed) for part in command.split()]


def check(pitfalls: CommandLine, words: list[str], here: Path) -> Answer:
    """Rules that any command must keep."""
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


class Faults:
    """Runs everything to its end, then tells all that went wrong."""

    def __init__(self) -> None:
        self.tried = 0
        self.found: list[str] = []

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Note what goes wrong in the block."""
        self.tried += 1
        try:
            yield
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.found.append(f"{what}: {error!r:.300} at {where.filename}:{where.lineno}")


def test_the_tables_are_large() -> None:
    damages = sum(len(read.commands) * len(list(read.damages())) for read in FILES)
    assert len(COMMANDS) * len(WORDS) > 700 and damages > 500


@pytest.mark.parametrize("command", COMMANDS)
def test_odd_words(command: str, here: Path, pitfalls: CommandLine) -> None:
    faults = Faults()
    for number, (what, word) in enumerate(WORDS.items()):
        with faults.of(what):
            check(pitfalls, filled(command, here, word, out=f"out{number}"), here)
    assert faults.found == [] and faults.tried == len(WORDS)


@pytest.mark.parametrize("read", FILES, ids=lambda read: read.file)
def test_damaged_files(read: Read, here: Path, pitfalls: CommandLine) -> None:
    faults, path = Faults(), here / read.file
    sound = path.read_bytes()
    for number, (what, damage) in enumerate(read.damages()):
        path.write_bytes(damage(sound))
        for place, command in enumerate(read.commands):
            with faults.of(what):
                check(pitfalls, filled(command, here, out=f"out{number}-{place}"), here)
    path.unlink()
    for place, command in enumerate(read.commands):
        with faults.of("missing"):
            check(pitfalls, filled(command, here, out=f"missing{place}"), here)
    path.mkdir()
    for place, command in enumerate(read.commands):
        with faults.of("a folder"):
            check(pitfalls, filled(command, here, out=f"folder{place}"), here)
    assert faults.found == [] and faults.tried


@pytest.mark.parametrize("command", sorted({each for read in FILES for each in read.commands}))
def test_sound_files_are_taken(command: str, here: Path, pitfalls: CommandLine) -> None:
    """Else the damages would never come to anything."""
    answer = check(pitfalls, filled(command, here), here)
    if "none" in command:
        assert "none does not exist" in answer.complaint
    elif "dump" in command or "--kind" in command:
        assert "the graph has no facts" in answer.err or "the graph allows 0" in answer.err
    else:
        assert answer.status == 0, answer.err


def test_updates_that_do_not_belong_to_the_stack(here: Path, pitfalls: CommandLine) -> None:
    file = here / "stack" / "0002.safetensors"
    sound = Update.load(file)
    show = f"stack show {here}/stack --effects --text {here}/text.txt --text-tokens 64".split()
    assert pitfalls(*show).status in (0, 3)
    for what, tensors, history in damaged_updates(sound):
        write_update(file, tensors, history)
        assert check(pitfalls, show, here).status == 2, what


@pytest.mark.parametrize(
    ("made", "numbers"), [(1, (1, 2)), (2, (1, 1)), (2, (2, 1)), (2, (0, 2)), (10**4000, (1, 2))]
)
def test_a_stack_that_counts_wrongly_is_refused(
    made: int, numbers: tuple[int, int], here: Path, pitfalls: CommandLine
) -> None:
    index = here / "stack" / "stack.json"
    told = json.loads(index.read_text())
    for entry, number in zip(told["entries"], numbers, strict=True):
        entry["number"] = number
    index.write_text(json.dumps(told | {"made": made}))
    assert check(pitfalls, ["stack", "list", "stack"], here).status == 2


def test_rows_that_count_twice_are_refused(here: Path, pitfalls: CommandLine) -> None:
    part = here / "run" / "records" / "conflict-reverse.ft.00000.parquet"
    table = pq.read_table(part)
    kind = table.schema.get_field_index("kind")
    strange = pa.array(["zzz"] * len(table))
    case = table.schema.get_field_index("case")
    for change, told in (
        (pa.concat_tables([table, table.slice(0, 1)]), "is there twice"),
        (table.set_column(kind, table.field(kind), strange), "cases of the kind 'zzz'"),
        (table.set_column(case, table.field(case), strange), "is not valid JSON"),
    ):
        pq.write_table(change, part)
        assert told in check(pitfalls, ["score", "run"], here).complaint
    pq.write_table(table, part)
    pq.write_table(table, part.with_name("conflict-reverse.ft.00001.parquet"))
    told = check(pitfalls, ["score", "run"], here).complaint
    assert "is there in conflict-reverse.ft.00000 as well" in told
    page = here / "page.html"
    assert pitfalls("report", "run", "--html", page).status == 0
    assert "Left out: " in page.read_text() and "as well" in page.read_text()


@pytest.mark.parametrize("p", [10**400, -0.5, 1.5, True, "0.5", None])
def test_what_is_no_probability_is_refused(p: object, here: Path, pitfalls: CommandLine) -> None:
    file = here / "results" / "conflict_results" / "ROME_reverse.json"
    records = json.loads(file.read_text())
    records[1]["CM_pre"]["rewrite"] = p
    file.write_text(json.dumps(records))
    told = check(pitfalls, ["score", "--authors-results", "results"], here).complaint
    assert "record 1: expected CM_pre to hold a probability" in told

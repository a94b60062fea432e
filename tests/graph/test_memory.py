"""Stores are made in the memory that is given; too little of it is told, and the rest resumes."""

from itertools import pairwise
from pathlib import Path

import pytest

from pitfalls.cli.main import main
from pitfalls.errors import PitfallsError
from pitfalls.graph import duck
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.duck import FLOOR, duckdb_options, free_memory, parse_memory, shortage

pytest.importorskip("duckdb")

MB = 10**6


@pytest.mark.parametrize(
    ("text", "size"), [("4GB", 4 * 10**9), ("1.5 gb", 15 * 10**8), ("64MiB", 2**26)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "4", "GB", "-1GB", "1KB", "9999999TB", "nan", "1e9GB", "4PB"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(PitfallsError, match=r"--memory .*: expected a size from 1MiB"):
        parse_memory(text)


def test_the_limit_is_a_share_of_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert free_memory() > 0
    for free, limit in ((8 * 10**9, 4 * 10**9), (MB, FLOOR)):
        monkeypatch.setattr(duck, "free_memory", lambda free=free: free)
        assert duckdb_options(tmp_path)["memory_limit"] == f"{limit}B"
    assert duckdb_options(tmp_path, MB)["memory_limit"] == f"{MB}B"


def test_a_container_may_allow_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for content in ("1000\n", "max\n"):
        (tmp_path / "memory.max").write_text(content)
        monkeypatch.setattr(duck, "_CGROUPS", (str(tmp_path / "memory.max"), str(tmp_path / "no")))
        assert (free_memory() == 1000) == (content == "1000\n")


def many(folder: Path, size: int = 20_000) -> Path:
    """A folder with a chain of entities, under ids too long to fit into little memory."""
    folder.mkdir()
    names = [f"{n:0100}" for n in range(size)]
    lines = "\n".join(f"{name}\tname {name}" for name in names)
    (folder / "entities.tsv").write_text(f"id\tlabel\n{lines}\n", "utf-8")
    (folder / "relations.tsv").write_text("id\tlabel\nnext\tsuccessor\n", "utf-8")
    facts = "\n".join(f"{one}\tnext\t{two}" for one, two in pairwise(names))
    (folder / "triples.tsv").write_text(f"subject\trelation\tobject\n{facts}\n", "utf-8")
    return folder


def ended(words: list[str]) -> object:
    """Status of a command."""
    with pytest.raises(SystemExit) as told:
        main(words)
    return told.value.code


def test_too_little_memory_is_told_and_more_of_it_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = many(tmp_path / "in"), tmp_path / "out"
    words = ["graph", "import", str(folder), "--out", str(out)]
    assert ended([*words, "--memory", "2MB"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "out of memory: give a larger --memory, such as 4GB" in told and "resumes" in told
    assert ended(words) == 0
    convert_folder(folder, tmp_path / "again", memory=40 * MB)
    for path in sorted(out.glob("*.parquet")):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    assert not (out / "parts").exists()


@pytest.mark.parametrize(
    "told",
    [
        "failed to offload data block of size 256.0 KiB (max_temp_directory_size: 1.0 MiB)",
        'Could not write file "/x": No space left on device',
    ],
)
def test_a_full_disk_is_told(told: str) -> None:
    assert shortage(OSError(told)) == "the disk is full: free some space"


def test_other_failures_keep_their_text() -> None:
    assert shortage(ValueError("a part\nis damaged")) == "a part is damaged"

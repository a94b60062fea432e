"""Paths, compressed files and Parquet are read whole, or refused."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pitfalls.door.compressed import numbered_bytes, read_compressed
from pitfalls.door.parquet import outline, read_table, text_rows, verify
from pitfalls.door.paths import is_file, is_folder, place
from pitfalls.door.text import shortened
from pitfalls.errors import PitfallsError

zstandard = pytest.importorskip("zstandard")
LINES = b"".join(b"line %d %d\n" % (n, n * n * 7919) for n in range(3000))


def frames(content: bytes) -> bytes:
    """Two frames in a row, as parallel compressors write them; a line runs over both."""
    compress = zstandard.ZstdCompressor().compress
    return compress(content[:1234]) + compress(content[1234:])


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".several.zst": frames,
}


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_compressed_file_is_read_whole_or_refused(ending: str, tmp_path: Path) -> None:
    path, compressed = tmp_path / f"lines{ending}", COMPRESSORS[ending](LINES)
    path.write_bytes(compressed)
    assert read_compressed(path) == LINES
    assert b"".join(line for _, line in numbered_bytes(path)) == LINES
    assert next(numbered_bytes(path, behind=41)) == (42, LINES.splitlines(keepends=True)[41])
    for share in (0.2, 0.5, 0.9, 0.999):
        path.write_bytes(compressed[: int(share * len(compressed))])
        with pytest.raises(PitfallsError, match="is damaged"):
            list(numbered_bytes(path))
        with pytest.raises(PitfallsError, match="is damaged or cut off"):
            read_compressed(path)
    path.write_bytes(b"once upon a time")
    with pytest.raises(PitfallsError, match="is damaged"):
        list(numbered_bytes(path))


def test_lines_of_utf_16_are_refused_as_that(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,label\n", "utf-16")
    with pytest.raises(PitfallsError, match="is UTF-16, expected UTF-8"):
        list(numbered_bytes(path))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("~nobody-of-that-name/x", "there is no user 'nobody-of-that-name'; write ./~nobody"),
        ("x" * 300, "is not a usable path: File name too long"),
        ("y/" * 4000, "is not a usable path: File name too long"),
        ("x\0y", "is not a usable path: embedded null byte"),
        ("x\udcff", "is not Unicode text: character 2 is half a surrogate pair"),
    ],
)
def test_a_name_that_is_no_path_is_refused(name: str, told: str) -> None:
    with pytest.raises(PitfallsError, match=told) as error:
        place(name)
    assert len(str(error.value)) < 500
    str(error.value).encode()


def test_what_may_not_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    for ask in (place, is_file, is_folder):
        with pytest.raises(PitfallsError, match="Permission denied"):
            ask(tmp_path)


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place("~/x") == tmp_path / "x"
    (tmp_path / "x").touch()
    assert is_file(tmp_path / "x") and not is_folder(tmp_path / "x")
    assert is_folder(tmp_path) and not is_file(tmp_path)
    assert not is_file(tmp_path / "x" / "below") and not is_folder(tmp_path / "none")
    assert shortened("a" * 80) == "a" * 80 and len(shortened("a" * 81)) == 81


def test_a_table_is_read_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a=b" / "t.parquet"
    path.parent.mkdir()
    table = pa.table({"id": ["Q1", None, "Q3"], "n": [1, 5, 3]})
    pq.write_table(table, path)
    assert read_table(path, advice="…") == table, "a folder's name is no column"
    assert list(text_rows(path)) == [("id", "n"), ("Q1", "1"), ("", "5"), ("Q3", "3")]
    verify(path, advice="…")
    told = outline(path, advice="…")
    assert (told.rows, told.highest["n"], list(told.columns)) == (3, 5, ["id", "n"])
    half = pa.array([b"Q\xff"]).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"id": half}), path)
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_table(path, advice="mend it"),
        lambda: verify(path, advice="mend it"),
        lambda: list(text_rows(path)),
    )
    for read in readers:
        with pytest.raises(PitfallsError, match="is damaged or not Parquet"):
            read()
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(PitfallsError, match=r"is damaged or not Parquet .*mend it"):
        outline(path, advice="mend it")

"""Fetching installs all of a collection or nothing, and says what went wrong in one line."""

import errno
import urllib.request
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError

import pytest

from pitfalls.cases.catalogue import Published, PublishedFile, published
from pitfalls.cases.fetch import check_installed, fetch, install
from pitfalls.errors import PitfallsError, UnknownNameError

CONTENTS = {"easy.json": b"[1]", "round_prompts.json": b"{}"}


@pytest.fixture
def small(cache: Path, tmp_path: Path) -> Published:
    """A collection of two little files, as their authors would serve them."""
    folder = tmp_path / "repository" / "data" / "MODEL"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    files = tuple(PublishedFile(n, 1, sha256(c).hexdigest()) for n, c in CONTENTS.items())
    address = (tmp_path / "repository").as_uri()
    return Published("released-small", "data/MODEL", "MIT", "here", address, files)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("below", [".", "data", "data/MODEL"])
def test_a_copy_is_found_where_the_repository_has_it(
    small: Published, cache: Path, tmp_path: Path, below: str
) -> None:
    folder = install(small, from_dir=tmp_path / "repository" / below)
    assert folder == small.directory == cache / "data" / "released-small"
    assert content_of(folder) == CONTENTS
    assert [path.name for path in folder.parent.iterdir()] == ["released-small"]
    check_installed(small)


def test_without_a_copy_the_files_are_downloaded(small: Published) -> None:
    assert content_of(install(small, from_dir=None)) == CONTENTS


def test_fetching_again_repairs_and_otherwise_changes_nothing(
    small: Published, tmp_path: Path
) -> None:
    folder = install(small, from_dir=None)
    stamp = folder.stat().st_mtime_ns
    install(small, from_dir=None)
    assert folder.stat().st_mtime_ns == stamp
    with pytest.raises(PitfallsError, match="holds no copy"):
        install(small, from_dir=tmp_path / "nowhere")
    (folder / "easy.json").write_bytes(b"[2]")
    with pytest.raises(PitfallsError, match=r"is not the published file: .*fetch it again"):
        check_installed(small)
    (folder / "easy.json").unlink()
    with pytest.raises(PitfallsError, match=r"cannot be read: No such file.*fetch it again"):
        check_installed(small)
    assert content_of(install(small, from_dir=None)) == CONTENTS


def test_wrong_bytes_are_not_installed(small: Published, tmp_path: Path) -> None:
    copy = tmp_path / "repository" / "data" / "MODEL"
    (copy / "easy.json").write_bytes(b"[3]")
    with pytest.raises(PitfallsError, match=r"easy\.json: is not the published file: SHA-256"):
        install(small, from_dir=copy)
    assert not small.present
    with pytest.raises(PitfallsError, match=r"is not here yet"):
        check_installed(small)


def test_a_folder_without_a_copy_is_told(small: Published, tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match=r"holds no copy of released-small; expected easy.json"):
        install(small, from_dir=tmp_path)


def test_no_network_is_told_with_the_way_around(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(url: str, timeout: float) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(PitfallsError) as error:
        fetch("released-gpt-j")
    line = str(error.value)
    assert line.startswith("https://raw.githubusercontent.com/zjunlp/PitfallsKnowledgeEditing/")
    assert "cannot be downloaded: Name or service not known" in line
    assert "`pitfalls data fetch released-gpt-j --from DIR`" in line
    assert "\n" not in line


def test_a_missing_file_on_the_other_side_is_told(small: Published) -> None:
    gone = replace(small, folder="data/ELSEWHERE")
    with pytest.raises(PitfallsError, match=r"cannot be downloaded: "):
        install(gone, from_dir=None)


def test_a_cache_that_cannot_be_written_is_told(
    small: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_text("")
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(PitfallsError, match=r"cannot be written: .*PITFALLS_CACHE"):
        install(small, from_dir=None)


def test_a_full_disk_leaves_nothing_behind(
    small: Published, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PitfallsError, match=r"cannot be written: No space left on device; make ro"):
        install(small, from_dir=None)
    assert list((cache / "data").iterdir()) == []


def test_an_unknown_collection_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'released-gpt2-xl'"):
        fetch("released-gpt2xl")


def test_the_table_describes_the_published_files(released: Path, cache: Path) -> None:
    for name, collection in published().items():
        assert fetch(name, from_dir=released) == collection.directory
        check_installed(collection)
        assert collection.entries("composite_edit.json") in (2000, 2500)

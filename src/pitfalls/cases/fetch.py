"""Getting a published collection: from the authors' repository or a copy, checked byte by byte."""

import hashlib
import os
import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from pitfalls.cases.catalogue import Published, PublishedFile, published_named
from pitfalls.door.paths import is_file, place
from pitfalls.door.text import read_bytes
from pitfalls.errors import PitfallsError
from pitfalls.progress import SILENT, Progress

_TIMEOUT = 30.0
"""Seconds without a byte before a download is given up."""
_CHUNK = 1 << 16


def fetch(collection: str, *, from_dir: Path | None = None, progress: Progress = SILENT) -> Path:
    """Install a published collection and return its folder. A sound one is not downloaded again.

    Args:
        collection: `released-gpt-j` or `released-gpt2-xl`.
        from_dir: a local copy: the folder with the files, or the repository's `data` or root.
        progress: told of every file.

    Raises:
        UnknownNameError: there is no such collection.
        PitfallsError: no network, no such copy, wrong bytes, or a folder that cannot be written.
    """
    wanted = published_named(collection)
    return install(wanted, from_dir=from_dir, progress=progress)


def install(wanted: Published, *, from_dir: Path | None, progress: Progress = SILENT) -> Path:
    """`fetch` for a collection described by the caller."""
    if from_dir is None and wanted.present and not faults(wanted):
        return wanted.directory
    folder = None if from_dir is None else _copy_in(place(from_dir), wanted)
    contents: dict[str, bytes] = {}
    for file in wanted.files:
        origin = f"{wanted.download}/{wanted.folder}/{file.name}"
        if folder is not None:
            origin = str(folder / file.name)
            content = read_bytes(folder / file.name)
        else:
            content = _download(origin, wanted, progress=progress)
        if fault := _fault(file, content):
            raise PitfallsError(f"{origin}: {fault}")
        contents[file.name] = content
    _install(wanted.directory, contents)
    return wanted.directory


def faults(collection: Published) -> list[str]:
    """Faults of an installed collection, a line a file; empty if it has none."""
    found = []
    for file in collection.files:
        path = collection.directory / file.name
        try:
            fault = _fault(file, read_bytes(path))
        except PitfallsError as error:
            found.append(str(error))
        else:
            found += [f"{path}: {fault}"] if fault else []
    return found


def check_installed(collection: Published) -> None:
    """Nothing, if the collection is here and still what was fetched.

    Raises:
        PitfallsError: it is not here, or some file of it was changed or lost.
    """
    if not collection.present:
        raise PitfallsError(collection.absence)
    if found := faults(collection):
        more = f" (and {len(found) - 1} more)" if found[1:] else ""
        advice = f"fetch it again: `pitfalls data fetch {collection.name}`"
        raise PitfallsError(f"{found[0]}{more}; {advice}")


def _fault(file: PublishedFile, content: bytes) -> str | None:
    came = hashlib.sha256(content).hexdigest()
    if came == file.sha256:
        return None
    return (
        f"is not the published file: SHA-256 {came[:12]}…, expected {file.sha256[:12]}…; "
        "changed, cut off, or of another collection"
    )


def _copy_in(copy: Path, wanted: Published) -> Path:
    """The folder at or below `copy` that holds the collection's files."""
    folders = (copy, copy / Path(wanted.folder).name, copy / wanted.folder)
    names = [file.name for file in wanted.files]
    for folder in folders:
        if all(is_file(folder / name) for name in names):
            return folder
    raise PitfallsError(
        f"{copy}: holds no copy of {wanted.name}; expected {names[0]} and {len(names) - 1} more "
        f"in it or in its folder {folders[1].name}"
    )


def _download(url: str, wanted: Published, *, progress: Progress) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            total = response.headers.get("Content-Length")
            stage = f"downloading {url.rpartition('/')[2]}"
            with progress.stage(stage, float(total) if total else None, "B") as advance:
                parts = []
                while part := response.read(_CHUNK):
                    parts.append(part)
                    advance(len(part))
        return b"".join(parts)
    except (OSError, HTTPException) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise PitfallsError(
            f"{url}: cannot be downloaded: {why}; if you have a copy, "
            f"`pitfalls data fetch {wanted.name} --from DIR`"
        ) from None


def _install(directory: Path, contents: dict[str, bytes]) -> None:
    """All files or none: they are written beside and the folder is renamed into place."""
    partial = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
    retired = directory.with_name(f".{directory.name}.{os.getpid()}.retired")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (partial / name).write_bytes(content)
        if directory.exists():
            directory.replace(retired)
        partial.replace(directory)
    except OSError as error:
        raise PitfallsError(
            f"{directory}: cannot be written: {error.strerror or error}; "
            "make room, or point PITFALLS_CACHE at a folder that may be written"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)

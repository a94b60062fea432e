"""`run.json` on disk, changed by one process at a time."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from pitfalls.disk import cannot_write, write_bytes, write_once
from pitfalls.door.text import read_text
from pitfalls.door.values import parse_json
from pitfalls.records.header import READABLE, RunHeader
from pitfalls.shapes import check_json, check_version

FILE = "run.json"
"""Name of the header in a run directory."""
LOCK = ".run.json.lock"
"""Name of the file that a process locks before it changes the header."""


def read_header(folder: Path) -> RunHeader:
    """The header of a run.

    Raises:
        PitfallsError: it cannot be read, is damaged, or of another version.
    """
    file = folder / FILE
    text = read_text(file)
    advice = "use the pitfalls that made the run, or give another --out"
    data = parse_json(text, where=str(file))
    check_version(data, "schema_version", *READABLE, where=str(file), advice=advice)
    return check_json(RunHeader, text, where=f"{file} is damaged")


def write_first(folder: Path, header: RunHeader) -> None:
    """Start a run; if another process has just started one there, its header stays.

    Raises:
        PitfallsError: it cannot be written.
    """
    write_once(folder / FILE, _as_bytes(header))


def change_header(folder: Path, change: Callable[[RunHeader], RunHeader]) -> RunHeader:
    """Read the header, change it and write it, without losing what other processes note in it.

    Args:
        folder: the run directory.
        change: gives the new header; if it raises, the old one stays.

    Raises:
        PitfallsError: it cannot be read or written.
    """
    with _alone(folder):
        before = read_header(folder)
        after = change(before)
        if after != before:
            write_bytes(folder / FILE, _as_bytes(after))
    return after


def _as_bytes(header: RunHeader) -> bytes:
    text = json.dumps(header.model_dump(mode="json"), ensure_ascii=False, indent=2)
    return f"{text}\n".encode()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a run; it ends with the process.

    Raises:
        PitfallsError: the folder cannot be written to.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire()
    except OSError as error:
        raise cannot_write(folder / LOCK, error) from error
    try:
        yield
    finally:
        lock.release()

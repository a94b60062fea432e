"""Writing files: whole or not at all, every failure told in one line. `pitfalls.door` reads."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from pitfalls.door.paths import is_folder
from pitfalls.errors import PitfallsError

TEMPORARY = ".tmp"
"""How the names of half-written files end."""


def make_folder(path: Path) -> None:
    """Make the folder and those it lies in, unless they are there.

    Raises:
        PitfallsError: it may not be made there, or something else has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise PitfallsError(f"{path} is a file, expected a folder; give another --out") from error
    except OSError as error:
        raise cannot_write(path, error) from error


def check_writable(path: Path) -> None:
    """Refuse early a path that could not be written to late, whether it is there or not.

    Raises:
        PitfallsError: the nearest thing above it, or it itself, is no folder or may not be written.
    """
    try:
        there = next(each for each in (path, *path.absolute().parents) if each.exists())
    except OSError as error:
        raise cannot_write(path, error) from error
    if there != path and not there.is_dir():
        raise cannot_write(path, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(there, os.W_OK):
        raise cannot_write(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def check_file(path: Path) -> None:
    """Refuse early what could not be written as a file late.

    Raises:
        PitfallsError: a folder, or a name in a folder that is not there or may not be written to.
    """
    if path.is_dir():
        raise PitfallsError(f"{path} is a folder, expected a file to write; give another name")
    if not path.parent.exists():
        raise PitfallsError(f"{path.parent} does not exist, expected a folder; make it first")
    check_writable(path)


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` at one stroke: a reader sees the old file or the new one.

    It is written under a temporary name, flushed to the disk and renamed, so that a power cut
    leaves no half of it under its name either.

    Raises:
        PitfallsError: the folder is missing or may not be written, the disk is full, ….
    """
    if is_folder(path):
        raise PitfallsError(f"{path} is a folder, expected the name of a file to write")
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:  # a signal may have stopped it as well
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def refuse_taken(destination: Path) -> None:
    """Refuse to write over what is there.

    Raises:
        PitfallsError: something that is not an empty folder has the name.
    """
    if destination.is_dir() and not any(destination.iterdir()):
        return
    if destination.exists():
        raise PitfallsError(f"{destination} is there already: name a folder to be made")


def cannot_write(path: Path, error: OSError) -> PitfallsError:
    """What to tell the user when a write failed."""
    return PitfallsError(
        f"cannot write {path}: {error.strerror or error}; "
        "free some space, change the permissions or give another --out"
    )


def _sync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut; only POSIX systems let a folder be flushed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

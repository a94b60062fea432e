"""Atomic writing of files, with one-line errors. `pitfalls.door` reads files."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pitfalls.door.paths import is_file, is_folder
from pitfalls.errors import PitfallsError
from pitfalls.leftovers import temporary_beside

TRIES = 3
"""Attempts at a write whose half-written file somebody else took for a leftover."""


def make_folder(path: Path) -> None:
    """Make the folder and its parents, unless they exist.

    Raises:
        PitfallsError: it may not be made there, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise PitfallsError(f"{path} is a file, expected a folder; give another --out") from error
    except OSError as error:
        raise cannot_write(path, error) from error


def check_writable(path: Path) -> None:
    """Check in advance that a path can be written, whether it exists or not.

    Raises:
        PitfallsError: the path or its nearest existing parent is not a folder or not writable.
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
    """Check in advance that a path can be written as a file.

    Raises:
        PitfallsError: it is a folder, or its folder does not exist or is not writable.
    """
    if path.is_dir():
        raise PitfallsError(f"{path} is a folder, expected a file to write; give another name")
    if not path.parent.exists():
        raise PitfallsError(f"{path.parent} does not exist, expected a folder; make it first")
    check_writable(path)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees either the old content or the new one.

    The content is written under a temporary name, flushed to disk and renamed, so that even a power
    cut leaves no partial file.

    Raises:
        PitfallsError: the folder is missing or not writable, the disk is full, ….
    """
    _write(path, content, _replace)


def write_once(path: Path, content: bytes) -> bool:
    """Write a file atomically unless it is there: of several writers the first one wins.

    Returns:
        Whether this call wrote it.

    Raises:
        PitfallsError: as `write_bytes`.
    """
    return not is_file(path) and _write(path, content, _put_first)


def _write(path: Path, content: bytes, put: Callable[[Path, Path], bool]) -> bool:
    if is_folder(path):
        raise PitfallsError(f"{path} is a folder, expected the name of a file to write")
    for left in reversed(range(TRIES)):
        temporary = temporary_beside(path)
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            done = put(temporary, path)
            _sync_folder(path.parent)
            return done
        except OSError as error:
            if left and isinstance(error, FileNotFoundError) and path.parent.is_dir():
                continue  # another process removed it
            raise cannot_write(path, error) from error
        finally:  # a signal may have stopped it as well
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    raise AssertionError("the last try returns or raises")


def _replace(temporary: Path, path: Path) -> bool:
    temporary.replace(path)
    return True


def _put_first(temporary: Path, path: Path) -> bool:
    """Give the file its name; False if another process has taken the name."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links: the gap is as short as can be
        return not path.exists() and _replace(temporary, path)
    return True


def refuse_taken(destination: Path) -> None:
    """Refuse to overwrite anything.

    Raises:
        PitfallsError: the destination exists and is not an empty folder.
    """
    if destination.is_dir() and not any(destination.iterdir()):
        return
    if destination.exists():
        raise PitfallsError(f"{destination} exists already; name a folder that does not")


def cannot_write(path: Path, error: OSError) -> PitfallsError:
    """Error for a failed write."""
    return PitfallsError(
        f"cannot write {path}: {error.strerror or error}; "
        "free some space, change the permissions or give another --out"
    )


def _sync_folder(folder: Path) -> None:
    """Flush a folder, so that a rename survives a power cut; only POSIX systems support this."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Writing a file so that it is there as a whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from pitfalls.errors import PitfallsError

TEMPORARY = ".tmp"
"""How the names of half-written files end."""


def write_atomically(file: Path, content: bytes) -> None:
    """Writes under a temporary name, flushes to the disk, renames.

    Raises:
        PitfallsError: the folder is read-only or missing, the disk is full, ….
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        _sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise cannot_write(file, error) from error


def cannot_write(path: Path, error: OSError) -> PitfallsError:
    """What to tell the user when a write failed."""
    return PitfallsError(
        f"cannot write {path}: {error.strerror or error}; "
        "free some space, change the permissions or give another --out"
    )


def _sync_folder(folder: Path) -> None:
    """Makes a rename outlive a power cut; only POSIX systems let a folder be flushed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

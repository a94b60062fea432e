"""Atomic creation of folders: an interruption leaves nothing behind.

A folder is made beside its destination and renamed at the end. Two processes that make the same
folder at the same time both succeed.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pitfalls import disk
from pitfalls.cache import cache_root
from pitfalls.errors import PitfallsError

PREFIX = ".making-"
STALE = 24 * 3600.0
"""Age in seconds at which an unfinished folder is taken to be left by a killed process."""


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Temporary folder inside `parent` for the length of the block.

    Raises:
        PitfallsError: the folder cannot be made or the disk cannot take what is written to it.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _clear_stale(parent)
        with TemporaryDirectory(prefix=PREFIX, dir=parent) as room:
            yield Path(room)
    except OSError as error:
        if cache_root() in parent.parents or parent == cache_root():
            raise cannot_write(error.strerror or str(error)) from error
        raise disk.cannot_write(parent, error) from error


def _clear_stale(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another process may be deleting it too
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder)


@contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """Empty folder to fill; it becomes `destination` when the block ends without an error.

    Raises:
        PitfallsError: as `scratch`.
    """
    with scratch(destination.parent) as room:
        folder = room / destination.name
        folder.mkdir()
        yield folder
        try:
            folder.rename(destination)
        except OSError:
            # Another process was faster; its folder has the same content.
            if not destination.is_dir():
                raise


def cannot_write(reason: str) -> PitfallsError:
    """Error for a cache that is read-only, full or not a folder."""
    return PitfallsError(
        f"cannot write to the cache {cache_root()}: {reason}; free space or fix its permissions, "
        "or set PITFALLS_CACHE to a writable folder"
    )

"""Half-written files: how they are named, and when one is a leftover of a process that died.

Several processes, of several machines, may write into one folder. The name of a half-written file
tells who writes it, so that nobody removes a file that is still being written.
"""

import hashlib
import os
import re
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path

TEMPORARY = ".tmp"
"""Suffix of half-written files."""
STALE = 3600.0
"""Seconds without a change after which any file counts as left; a write takes seconds, and the
clocks of machines differ by less."""

_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$")
_SHOWN = 40
"""Characters of the file's name that the temporary name repeats; file systems limit the length."""


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of `path`, for its content until it is complete."""
    who = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{path.name[:_SHOWN]}.{who}{TEMPORARY}")


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files of processes that died; those of living ones stay."""
    for file in folder.glob(f"*{TEMPORARY}"):
        with suppress(OSError):  # another process may be removing it too
            if _is_left(file):
                file.unlink()


def _is_left(file: Path) -> bool:
    found = _NAME.search(file.name)
    if found is None:
        return True  # of a version that let one process at a time write a folder
    dead = found[1] == _machine() and not _lives(int(found[2]))
    return dead or time.time() - file.stat().st_mtime > STALE


def _machine() -> str:
    """Eight hexadecimal digits that tell this machine, and its view of processes, from others."""
    view = ""
    with suppress(OSError):  # Linux: containers of one name number their processes separately
        view = str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(f"{socket.gethostname()} {view}".encode()).hexdigest()[:8]


def _lives(process: int) -> bool:
    """Whether a process of this number runs on this machine; assumed where it cannot be asked."""
    if os.name != "posix":  # elsewhere this call would end the process
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True

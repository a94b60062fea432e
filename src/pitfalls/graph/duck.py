"""DuckDB's share of memory, its place to spill to, and its failures in one line."""

import re
from pathlib import Path
from typing import TypeAlias

from pitfalls.door.text import reason_of, shortened
from pitfalls.errors import PitfallsError

SHARE = 0.5
"""Part of the free memory that DuckDB may take; the rest is for Python and for other programs."""
LEAST = 2**20
"""Smallest limit that can be asked for, in bytes."""
LARGEST = 2**50
FLOOR = 2**28
"""Limit on a machine that has hardly any free memory, in bytes; the rest spills to disk."""
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_CGROUPS = ("memory.max", "memory/memory.limit_in_bytes")
"""Files with the memory limit of a container, of the second and first version of cgroups."""

QUIET = "SET enable_progress_bar = false"
"""Statement after connecting: commands show their own progress."""

Options: TypeAlias = dict[str, str | int | bool | float | list[str]]


def parse_memory(text: str) -> int:
    """Bytes of a size such as `4GB` or `512MiB`.

    Raises:
        PitfallsError: it is no size, or too small or large for a limit.
    """
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]i?B)", text.strip(), re.IGNORECASE)
    size = float(found[1]) * _UNITS[found[2].upper()] if found else 0.0
    if not LEAST <= size <= LARGEST:
        raise PitfallsError(
            f"--memory {shortened(text)!r}: expected a size from 1MiB to 1024TiB, such as 4GB"
        )
    return int(size)


def free_memory() -> int:
    """Bytes that are free on this machine, or allowed to its container if that is less."""
    import psutil

    limits = (_limit(Path("/sys/fs/cgroup") / name) for name in _CGROUPS)
    return min([int(psutil.virtual_memory().available), *filter(None, limits)])


def duckdb_options(spill: Path, memory: int | None = None) -> Options:
    """Configuration of a connection.

    Args:
        spill: folder for what does not fit into memory; DuckDB makes it.
        memory: limit in bytes; None: a share of the free memory.
    """
    limit = max(FLOOR, int(SHARE * free_memory())) if memory is None else memory
    # Every result is sorted by its query, so that the order of insertion need not be kept.
    return {
        "memory_limit": f"{limit}B",
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
    }


def shortage(error: Exception) -> str:
    """The resource that a failed query lacks and how to get it; else the error's own text."""
    told = str(error)
    if "max_temp_directory_size" in told or re.search(r"no space left|disk.*full", told, re.I):
        return "the disk is full: free some space"
    if "out of memory" in told.casefold() or isinstance(error, MemoryError):
        free = f"{free_memory() / 1e9:.1f} GB are free"
        return f"out of memory: give a larger --memory, such as 4GB ({free})"
    return reason_of(error)


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):  # no container, or "max"
        return None

"""Files and what is in them, with every failure told in one line. No format is known here."""

import json
import os
from contextlib import suppress
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeAlias

from pitfalls.errors import PitfallsError

Source: TypeAlias = Path | Traversable
"""A file on disk, or one that travels with the package."""


def read_bytes(source: Source) -> bytes:
    """The content of the file.

    Raises:
        PitfallsError: there is no such file, or it may not be read.
    """
    try:
        return source.read_bytes()
    except OSError as error:
        raise PitfallsError(f"{source}: cannot be read: {error.strerror or error}") from None


def read_text(source: Source) -> str:
    """The content of a UTF-8 file.

    Raises:
        PitfallsError: it cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(source).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PitfallsError(
            f"{source}: is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from None


def parse_json(text: str, *, where: str) -> Any:
    """The value that `text` spells.

    Raises:
        PitfallsError: it is not JSON; the line starts with `where`.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise PitfallsError(f"{where}: is not valid JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise PitfallsError(f"{where}: is not valid JSON: nested too deeply") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` at one stroke: a reader sees the old file or the new one.

    Raises:
        PitfallsError: the folder may not be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise PitfallsError(f"{path}: cannot be written: {error.strerror or error}") from None

"""Texts and files of text: Unicode, or refused."""

import re
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from pitfalls.errors import PitfallsError

Source: TypeAlias = Path | Traversable
"""A file on disk, or one that travels with the package."""

BYTE_ORDER_MARK = "\ufeff"
"""What Windows programs write before the first letter of a file."""

_SHOWN = 80
"""Characters of something refused that are worth repeating."""
LONG_PATH = 300
"""The same of paths, whose end tells most."""
LONGEST_REASON = 200
"""The same of what a library says went wrong."""
_HALF = re.compile("[\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """What is wrong with a text that came from outside, or None.

    Half a surrogate pair stands for no character. Python uses halves for the bytes of a path or an
    argument that are not UTF-8, and reads them out of JSON; no file or tokenizer takes them.
    """
    if found := _HALF.search(text):
        return f"is not Unicode text: character {found.start() + 1} is half of one"
    return None


def shortened(text: str, most: int = _SHOWN) -> str:
    """The text, or its beginning if it is too long for a message."""
    return text if len(text) <= most else text[:most] + "…"


def reason_of(error: Exception | str) -> str:
    """What an error of a library says, on one line and no longer than is worth reading."""
    return shortened(" ".join(str(error).split()), LONGEST_REASON)


def read_bytes(source: Source) -> bytes:
    """The content of the file.

    Raises:
        PitfallsError: there is no such file, or it may not be read.
    """
    try:
        return source.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise cannot_read(source, error) from None


def read_text(source: Source) -> str:
    """The content of a UTF-8 file, without a byte order mark.

    Raises:
        PitfallsError: it cannot be read, or is not UTF-8.
    """
    return decoded(read_bytes(source), where=str(source))


def decoded(content: bytes, *, where: str) -> str:
    """UTF-8 as text, without a byte order mark.

    Raises:
        PitfallsError: it is not UTF-8; the line starts with `where`.
    """
    try:
        return content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        why = f"{error.reason} at byte {error.start}"
        raise PitfallsError(f"{where}: is not UTF-8 text: {why}") from None


def cannot_read(source: Source, error: Exception) -> PitfallsError:
    """What to tell the user when reading failed."""
    why = (error.strerror if isinstance(error, OSError) else None) or error
    return PitfallsError(f"{shortened(str(source), LONG_PATH)}: cannot be read: {why}")

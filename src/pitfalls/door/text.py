"""Text and text files: valid Unicode, or an error."""

import re
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from pitfalls.errors import PitfallsError

Source: TypeAlias = Path | Traversable
"""A file on disk, or a packaged one."""

BYTE_ORDER_MARK = "\ufeff"
"""Mark that Windows programs put at the start of a file."""

_SHOWN = 80
"""Characters of a refused text that a message repeats."""
LONG_PATH = 300
"""Characters of a path that a message repeats; the end of a path says most."""
LONGEST_REASON = 200
"""Characters of a library's error that a message repeats."""
_HALF = re.compile("[\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """Fault of a text from outside, or None.

    Half a surrogate pair is not a character. Python uses such halves for bytes of a path or an
    argument that are not UTF-8, and accepts them in JSON; no file or tokenizer does.
    """
    if found := _HALF.search(text):
        return f"is not Unicode text: character {found.start() + 1} is half a surrogate pair"
    return None


def shortened(text: str, most: int = _SHOWN) -> str:
    """Text cut to a length that suits a message."""
    return text if len(text) <= most else text[:most] + "…"


def reason_of(error: Exception | str) -> str:
    """Message of a library's error, on one line and cut to `LONGEST_REASON`."""
    return shortened(" ".join(str(error).split()), LONGEST_REASON)


def read_bytes(source: Source) -> bytes:
    """Read a file.

    Raises:
        PitfallsError: there is no such file, or it may not be read.
    """
    try:
        return source.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise cannot_read(source, error) from None


def read_text(source: Source) -> str:
    """Read a UTF-8 file, without a byte order mark.

    Raises:
        PitfallsError: it cannot be read, or is not UTF-8.
    """
    return decoded(read_bytes(source), where=str(source))


def decoded(content: bytes, *, where: str) -> str:
    """Decode UTF-8, without a byte order mark.

    Raises:
        PitfallsError: it is not UTF-8; the line starts with `where`.
    """
    try:
        return content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        why = f"{error.reason} at byte {error.start}"
        raise PitfallsError(f"{where}: is not UTF-8 text: {why}") from None


def cannot_read(source: Source, error: Exception) -> PitfallsError:
    """Error for a file that cannot be read."""
    why = (error.strerror if isinstance(error, OSError) else None) or error
    return PitfallsError(f"{shortened(str(source), LONG_PATH)}: cannot be read: {why}")

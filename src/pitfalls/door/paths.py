"""Paths as users write them, and tests for files and folders."""

from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pitfalls.door.text import LONG_PATH, shortened, text_fault
from pitfalls.errors import PitfallsError


def place(name: Path | str) -> Path:
    """Path of that name, with `~` expanded. It need not exist.

    Raises:
        PitfallsError: a name that is too long or not Unicode, an unknown user after `~`, or a
            folder on the way that may not be read.
    """
    shown = shortened(str(name), LONG_PATH)
    if fault := text_fault(str(name)):
        raise PitfallsError(f"the path {shown!a} {fault}")
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        user = Path(name).parts[0]
        raise PitfallsError(
            f"{shown}: there is no user {user[1:]!r}; write ./{user} for a file of that name"
        ) from None
    _mode(path)
    return path


def is_file(path: Path) -> bool:
    """Whether the path is a file.

    Raises:
        PitfallsError: the name is too long, or a folder on the way may not be read.
    """
    return S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether the path is a folder.

    Raises:
        PitfallsError: as `is_file`.
    """
    return S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    """Mode from `stat`; 0 if nothing is there."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        shown = shortened(str(path), LONG_PATH)
        raise PitfallsError(f"{shown}: is not a usable path: {why}") from None

"""Errors that a user can cause.

Every mistake of a user is reported as a `PitfallsError` whose message is one line: the input, the
expectation, the remedy. The command line prints that line and exits with status 2. Any other
exception is a bug and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PitfallsError(Exception):
    """A mistake in the input or the environment, described in one line."""


class UnknownNameError(PitfallsError):
    """An unknown name; the message suggests the nearest known one."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"unknown {what} {name!r}: {hint}known: {', '.join(known)}")


def needs_extra(what: str, package: str, extra: str = "graphs") -> PitfallsError:
    """Error for a package of an extra that is not installed."""
    return PitfallsError(f"{what} needs {package}: pip install 'pitfalls[{extra}]'")

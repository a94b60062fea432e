"""The one family of errors that a user can cause.

Whatever a user did wrong surfaces as a `PitfallsError` whose message is a single line: what came,
what was expected, what to do. The command line prints that line and exits with status 2; any other
exception is a bug and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PitfallsError(Exception):
    """A mistake in the input or the surroundings, told in one line."""


class UnknownNameError(PitfallsError):
    """A name that no table lists; the message offers the nearest one that is listed."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"unknown {what} {name!r}: {hint}known: {', '.join(known)}")


def needs_extra(what: str, package: str) -> PitfallsError:
    """What to tell the user when a package of the extra `graphs` is not installed."""
    return PitfallsError(f"{what} needs {package}: pip install 'pitfalls[graphs]'")

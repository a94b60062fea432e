"""Packages that only work with large graphs needs: those of the extra `graphs`."""

from pitfalls.errors import PitfallsError


def needs_extra(what: str, package: str) -> PitfallsError:
    """What to tell the user when one of them is not installed."""
    return PitfallsError(f"{what} needs {package}: pip install 'pitfalls[graphs]'")

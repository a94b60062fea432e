"""Limits on the side effects of an edit."""

from dataclasses import dataclass, fields
from typing import Annotated, TypeAlias

from pydantic import Field

from pitfalls.errors import PitfallsError

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""A share from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on side effects. A limit of 1 is always met.

    Raises:
        PitfallsError: a number that is not from 0 to 1.
    """

    kept: Share = 0.5
    """An answer has changed if it keeps less than this share of its probability."""
    neighbours: Share = 0.1
    """Largest share of other subjects whose answer to the edit's prompt may change."""
    relations: Share = 0.1
    """Largest share of other prompts about the edit's subject whose answer may change."""
    repeated: Share = 0.5
    """Largest share of repeated token trigrams in a generated text."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise PitfallsError(f"{field.name} is {value}, expected a share from 0 to 1")

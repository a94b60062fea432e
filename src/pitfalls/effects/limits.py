"""What counts as a side effect of an edit, and how much of it passes."""

from dataclasses import dataclass, fields
from typing import Annotated, TypeAlias

from pydantic import Field

from pitfalls.errors import PitfallsError

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""From 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as a side effect, and how much of it passes. A limit of 1 lets anything pass.

    Raises:
        PitfallsError: a number that is not from 0 to 1.
    """

    kept: Share = 0.5
    """What was said has changed if it keeps less than this share of its probability."""
    neighbours: Share = 0.1
    """The largest share of other subjects, under the prompt of an edit, that may change."""
    relations: Share = 0.1
    """The largest share of other prompts about the subject of an edit that may change."""
    repeated: Share = 0.5
    """How much of a text may have been there already, in runs of three tokens."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise PitfallsError(f"{field.name} is {value}, expected a share from 0 to 1")

"""Shares of a run: which chunks each of several jobs carries out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pitfalls.door.text import shortened
from pitfalls.errors import PitfallsError
from pitfalls.settings import Count, Settings, checked

T = TypeVar("T")


@dataclass(frozen=True)
class Shard(Settings):
    """One share of several. Chunks are dealt out in the order of the run, like cards.

    Every share so gets about as many chunks of each editor as any other.
    """

    number: Count = 1
    """From 1 to `of`."""
    of: Count = 1
    """How many shares there are."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            PitfallsError: a share that there is not.
        """
        super().__post_init__()
        if self.number > self.of:
            raise PitfallsError(
                f"shard {self}: there are shards 1/{self.of} to {self.of}/{self.of}"
            )

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `3/16`.

        Raises:
            PitfallsError: another text, or a share that there is not.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        if found is None:
            shown = shortened(repr(text))
            raise PitfallsError(f"shard {shown}: expected I/N with I from 1 to N, such as 3/16")
        return cls(int(found[1]), int(found[2]))

    def share(self, listed: Sequence[T]) -> list[T]:
        """Its share of what there is to do, in order."""
        return list(listed[self.number - 1 :: self.of])

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


WHOLE = Shard()
"""All of a run."""


def shard_of(position: int, of: int) -> Shard:
    """The share, of so many, that the chunk at `position` of the run belongs to.

    Raises:
        PitfallsError: the number of shares is out of range.
    """
    return Shard(position % checked(Count, of, where="shards") + 1, of)

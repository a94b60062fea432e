"""Checks of side effects, each against a limit: passed, failed, or undecided for lack of data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pitfalls.effects.loops import Written
from pitfalls.effects.untouched import Untouched


@dataclass(frozen=True, slots=True)
class Check:
    """One side effect, measured on the edit that shows most of it."""

    name: str
    measured: float
    """0 if there are no data."""
    limit: float
    read: int
    """Number of prompts or texts measured."""

    @property
    def passed(self) -> bool | None:
        """Whether the measured value is within the limit; None if there are no data."""
        return self.measured <= self.limit if self.read else None


def share_changed(
    name: str, each: Iterable[Sequence[Untouched]], limit: float, *, kept: float
) -> Check:
    """Check prompts that should be answered as before: the worst edit's share of changed ones."""
    read = [some for some in each if some]
    shares = [sum(one.changed(kept) for one in some) / len(some) for some in read]
    return Check(name, max(shares, default=0.0), limit, sum(map(len, read)))


def loops(name: str, texts: Iterable[Written], limit: float) -> Check:
    """Check texts for repetition; texts that were repetitive before the edit do not count."""
    read = [text for text in texts if text.repeated_before <= limit]
    return Check(name, max((text.repeated_after for text in read), default=0.0), limit, len(read))

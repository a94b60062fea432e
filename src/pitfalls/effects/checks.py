"""Side effects of an edit, each held against a limit: passed, failed, or nothing to judge by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pitfalls.effects.loops import Written
from pitfalls.effects.untouched import Untouched


@dataclass(frozen=True, slots=True)
class Check:
    """One side effect, of the edit that has most of it."""

    name: str
    measured: float
    """0 where there is nothing to judge by."""
    limit: float
    read: int
    """Prompts or texts that it was judged by."""

    @property
    def passed(self) -> bool | None:
        """None where there is nothing to judge by."""
        return self.measured <= self.limit if self.read else None


def share_changed(
    name: str, each: Iterable[Sequence[Untouched]], limit: float, *, kept: float
) -> Check:
    """The check on what should be answered as before, edit by edit."""
    read = [some for some in each if some]
    shares = [sum(one.changed(kept) for one in some) / len(some) for some in read]
    return Check(name, max(shares, default=0.0), limit, sum(map(len, read)))


def loops(name: str, texts: Iterable[Written], limit: float) -> Check:
    """The check on texts; those that were repetition before cannot tell of the edit."""
    read = [text for text in texts if text.repeated_before <= limit]
    return Check(name, max((text.repeated_after for text in read), default=0.0), limit, len(read))

"""When a fact held: spans of days, so that what is true at different times is not in conflict."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Day: TypeAlias = tuple[int, int, int]
"""Year, month and day; years before the common era are negative."""

_DATE = re.compile(r"([+-]?\d{1,11})(?:-(\d\d)(?:-(\d\d)(?:T.*)?)?)?")
_FIRST, _LAST = (1, 1), (12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """From one day to another, both included; an end that nobody knows is open."""

    start: Day | None = None
    end: Day | None = None

    def overlaps(self, other: "Span") -> bool:
        """Whether there may have been a day in both.

        One that ends on the day on which the other begins leaves off then: no overlap, unless one
        of them is that day alone.
        """
        alone = any(each.start is not None and each.start == each.end for each in (self, other))
        return not (_before(self.end, other.start, alone) or _before(other.end, self.start, alone))


ALWAYS = Span()
"""What is assumed of a fact whose source says nothing."""


def parse_span(start: str, end: str) -> Span | None:
    """The span between two dates of Wikidata's form, `1952`, `1952-03` or `+1952-03-07T00:00:00Z`.

    A month or day of 00, or none, stands for the whole year or month. Empty texts leave a side
    open. None if a text is no date, or the span would end before it starts.
    """
    days = _day(start, _FIRST), _day(end, _LAST)
    if any(text and day is None for text, day in zip((start, end), days, strict=True)):
        return None
    span = Span(*days)
    return None if span.start and span.end and span.end < span.start else span


def together(ones: Iterable[Span], others: Iterable[Span]) -> bool:
    """Whether some span of the ones overlaps some span of the others."""
    others = tuple(others)
    return any(one.overlaps(other) for one in ones for other in others)


def _before(end: Day | None, start: Day | None, alone: bool) -> bool:
    return end is not None and start is not None and (end < start or (end == start and not alone))


def _day(text: str, rest: tuple[int, int]) -> Day | None:
    if (found := _DATE.fullmatch(text)) is None:
        return None
    year, month, day = (int(part or 0) for part in found.groups())
    if month > _LAST[0] or day > _LAST[1]:
        return None
    return year, month or rest[0], day or rest[1]

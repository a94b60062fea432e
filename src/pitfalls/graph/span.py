"""Validity periods of facts: facts that hold at different times do not conflict."""

import re
from dataclasses import dataclass
from typing import TypeAlias

Day: TypeAlias = tuple[int, int, int]
"""Year, month and day; years before the common era are negative."""

_DATE = re.compile(r"([+-]?\d{1,11})(?:-(\d\d)(?:-(\d\d)(?:T.*)?)?)?")
_FIRST, _LAST = (1, 1), (12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """Period from one day to another, both included; an unknown end is open."""

    start: Day | None = None
    end: Day | None = None

    @classmethod
    def of_numbers(cls, start: int | None, end: int | None) -> "Span":
        """Span with these `numbers`."""
        if start is None and end is None:
            return ALWAYS
        return cls(*(None if each is None else _day_of(each) for each in (start, end)))

    @property
    def numbers(self) -> tuple[int | None, int | None]:
        """Start and end as sortable numbers: 19520307 is the 7th of March 1952."""
        start, end = (None if day is None else _number_of(day) for day in (self.start, self.end))
        return start, end

    def overlaps(self, other: "Span") -> bool:
        """Whether the two spans may share a day.

        A span that ends on the day on which the other starts does not overlap it, unless one of
        them is that single day.
        """
        alone = any(each.start is not None and each.start == each.end for each in (self, other))
        return not (_before(self.end, other.start, alone) or _before(other.end, self.start, alone))


ALWAYS = Span()
"""Default where the source gives no dates."""


def parse_span(start: str, end: str) -> Span | None:
    """Span between two dates in Wikidata's form: `1952`, `1952-03` or `+1952-03-07T00:00:00Z`.

    A missing month or day, or one of 00, stands for the whole year or month. An empty text leaves
    that side open. None if a text is not a date, or the span would end before it starts.
    """
    days = _day(start, _FIRST), _day(end, _LAST)
    if any(text and day is None for text, day in zip((start, end), days, strict=True)):
        return None
    span = Span(*days)
    return None if span.start and span.end and span.end < span.start else span


def _number_of(day: Day) -> int:
    return (day[0] * 100 + day[1]) * 100 + day[2]


def _day_of(number: int) -> Day:
    year, rest = divmod(number, 10_000)  # years before the common era are negative
    return year, rest // 100, rest % 100


def _before(end: Day | None, start: Day | None, alone: bool) -> bool:
    return end is not None and start is not None and (end < start or (end == start and not alone))


def _day(text: str, rest: tuple[int, int]) -> Day | None:
    if (found := _DATE.fullmatch(text)) is None:
        return None
    year, month, day = (int(part or 0) for part in found.groups())
    if month > _LAST[0] or day > _LAST[1]:
        return None
    return year, month or rest[0], day or rest[1]

"""Progress on standard error: bars in a terminal, a line now and then elsewhere."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from pitfalls.progress import Advance, Amount, Progress

LINE_EVERY = 15.0
"""Seconds between the lines of one stage where there is no terminal."""

WORTH_TELLING = 1.0
"""Seconds; the duration of a shorter stage is not told."""

WORTH_TELLING_INSIDE = 10.0
"""The same for a stage inside another one; there may be hundreds."""


def progress_on(console: Console | None = None) -> Progress:
    """Progress for the library: bars if `console` is a terminal, else plain lines.

    Args:
        console: standard error if not given.
    """
    # The stream itself, not whatever stands for it later: loaders redirect standard error to
    # silence others.
    console = console or Console(file=sys.stderr)
    return BarProgress(console) if console.is_terminal else LineProgress(console)


class BarProgress:
    """Bars that are drawn while at least one stage is open."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open = 0
        self._bars = self._new_bars()

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """A bar with name, amount, time passed and time left; a spinner if there is no total."""
        return self._stage(name, total, unit)

    def note(self, line: str) -> None:
        """A line that scrolls up above the bars."""
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _stage(self, name: str, total: Amount | None, unit: str) -> Iterator[Advance]:
        if not self._open:
            self._bars = self._new_bars()
            self._bars.start()
        self._open += 1
        bars = self._bars
        task = bars.add_task(name, total=total, unit=unit, known=total)
        try:
            yield lambda by: bars.advance(task, by)
            if total is None:
                bars.update(task, total=1, completed=1)  # nobody knew the total: now it is reached
        finally:
            self._open -= 1
            bars.stop_task(task)
            if self._open:
                bars.remove_task(task)  # a step inside another one; there may be hundreds
            else:
                bars.stop()

    def _new_bars(self) -> Bars:
        return Bars(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            AmountColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )


class AmountColumn(ProgressColumn):
    """Column with the amount done and the total, in the stage's unit."""

    def render(self, task: Task) -> Text:
        """The amount, or nothing where nothing is counted."""
        unit, known = task.fields["unit"], task.fields["known"]
        counted = known is not None or not task.finished
        return Text(amount(task.completed, known, unit) if counted else "")


class LineProgress:
    """Lines when a stage begins, at intervals, and when it ends.

    A stage inside another one is told only if it is long.
    """

    def __init__(self, console: Console, *, every: float = LINE_EVERY) -> None:
        self._console = console
        self._every = every
        self._open = 0

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Lines of name, amount, time passed and time left."""
        return self._stage(name, total, unit)

    def note(self, line: str) -> None:
        """A line like the others."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _stage(self, name: str, total: Amount | None, unit: str) -> Iterator[Advance]:
        start = told = time.monotonic()
        done: Amount = 0

        def advance(by: Amount) -> None:
            nonlocal told, done
            done += by
            now = time.monotonic()
            if now - told >= self._every:
                told = now
                self.note(f"{name}: {state_of(done, total, unit, seconds=now - start)}")

        inside = self._open > 0
        if not inside:
            self.note(f"{name} …")
        self._open += 1
        try:
            yield advance
        finally:
            self._open -= 1
        seconds = time.monotonic() - start
        if seconds >= (WORTH_TELLING_INSIDE if inside else WORTH_TELLING):
            self.note(f"{name}: done in {seconds:.1f} s")


def state_of(done: Amount, total: Amount | None, unit: str, *, seconds: float) -> str:
    """Amount and times as far as known: `40/200 cases, 60 s, 4 min left`."""
    told = [amount(done, total, unit), span(seconds)]
    if total is not None and 0 < done < total:
        told.append(f"{span(seconds * (total - done) / done)} left")
    return ", ".join(part for part in told if part)


def span(seconds: float) -> str:
    """Time in a handy unit: `45 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def amount(done: Amount, total: Amount | None, unit: str) -> str:
    """Amount with its unit: `12.3 MB/92.9 MB`, `4/30 layers`; empty if nothing is counted."""
    if not unit and total is None:
        return ""
    whole = math.floor(done + 1e-6)  # a half-done edit is not done, ten tenths of one are
    shown = decimal(whole) if unit == "B" else f"{whole}"
    if total is not None:
        shown += f"/{decimal(int(total))}" if unit == "B" else f"/{total:g}"
    return shown if unit in ("", "B") else f"{shown} {unit}"

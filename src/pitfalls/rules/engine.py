"""Who carries out the joins of rule mining, and not for longer than was asked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeAlias

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError, needs_extra

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table
else:  # imported only when something is mined
    BaseBackend: TypeAlias = object
    Table: TypeAlias = object

_AGAIN = 0.05
"""Seconds between two interruptions: one that comes before the engine has begun is lost."""


class Late(Exception):
    """The time is up."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An Ibis connection and the time that it has."""

    backend: BaseBackend
    interrupt: Callable[[], None] | None = None
    """Stops what the connection does, from another thread; None if nobody knows how."""
    errors: tuple[type[Exception], ...] = ()
    """What it raises over files that are damaged, too little memory and the like."""

    @classmethod
    def of(cls, backend: BaseBackend | None) -> "Engine":
        """DuckDB in memory, which can be interrupted, or a connection that somebody else made.

        Ibis has no way to interrupt any connection whatever: one that was given is only kept from
        beginning anything when the time is up.

        Raises:
            PitfallsError: Ibis or DuckDB is not installed.
        """
        if backend is not None:
            return cls(backend)
        try:
            import duckdb
            import ibis

            made = ibis.duckdb.connect()
        except (ImportError, AttributeError):
            raise needs_extra("mining", "Ibis with DuckDB") from None
        return cls(made, made.con.interrupt, (duckdb.Error,))

    def rows(self, table: Table, deadline: float | None = None) -> list[dict[str, Any]]:
        """The rows of an expression.

        Args:
            table: the expression.
            deadline: a time of `time.monotonic`; None: take all the time that it needs.

        Raises:
            Late: it was or became too late.
            PitfallsError: the facts cannot be read, or there is no room for the joins.
        """
        if deadline is not None and time.monotonic() >= deadline:
            raise Late
        try:
            with self._watched(deadline):
                rows: list[dict[str, Any]] = self.backend.to_pyarrow(table).to_pylist()
        except self.errors as error:
            if deadline is None or time.monotonic() < deadline:
                told = reason_of(error)
                raise PitfallsError(f"the engine that joins facts gave up: {told}") from None
            raise Late from None
        except Exception:
            # How an engine says that it was interrupted is its own affair.
            if self.interrupt is None or deadline is None or time.monotonic() < deadline:
                raise
            raise Late from None
        return rows

    @contextmanager
    def _watched(self, deadline: float | None) -> Iterator[None]:
        """Interrupts what is done inside once the time is up."""
        if self.interrupt is None or deadline is None:
            yield
            return
        done, stop = Event(), self.interrupt

        def watch() -> None:
            pause = max(0.0, deadline - time.monotonic())
            while not done.wait(pause):
                stop()
                pause = _AGAIN

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

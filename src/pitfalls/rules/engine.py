"""Engine for the joins of rule mining, with a time limit."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from pitfalls.errors import PitfallsError, needs_extra
from pitfalls.graph.duck import QUIET, duckdb_options, shortage

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table
else:  # imported only when something is mined
    BaseBackend: TypeAlias = object
    Table: TypeAlias = object

_AGAIN = 0.05
"""Seconds between two interruptions. One that comes before the engine has started is lost."""


class Late(Exception):
    """The time is up."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An Ibis connection, the way to interrupt it, and the errors it raises."""

    backend: BaseBackend
    interrupt: Callable[[], None] | None = None
    """Interrupts the connection from another thread; None if it has no such method."""
    errors: tuple[type[Exception], ...] = ()
    """Exceptions that it raises for damaged files, lack of memory and the like."""

    @classmethod
    def of(cls, backend: "BaseBackend | Engine | None", memory: int | None = None) -> "Engine":
        """Engine on DuckDB in memory, which can be interrupted, or on a given connection.

        Ibis has no general way to interrupt a connection. On a given one the time limit only keeps
        new queries from starting. DuckDB spills to the system's folder for temporary files.

        Args:
            backend: a connection or an engine; None: DuckDB.
            memory: limit of DuckDB in bytes; None: a share of the free memory.

        Raises:
            PitfallsError: Ibis or DuckDB is not installed.
        """
        if isinstance(backend, Engine):
            return backend
        if backend is not None:
            return cls(backend)
        try:
            import duckdb
            import ibis

            spill = Path(tempfile.gettempdir()) / f"pitfalls-{os.getpid()}"
            made = ibis.duckdb.connect(**duckdb_options(spill, memory))
            made.con.execute(QUIET)
        except (ImportError, AttributeError):
            raise needs_extra("mining", "Ibis with DuckDB") from None
        return cls(made, made.con.interrupt, (duckdb.Error,))

    def rows(self, table: Table, deadline: float | None = None) -> list[dict[str, Any]]:
        """Execute an expression and return its rows; see `table`."""
        rows: list[dict[str, Any]] = self.table(table, deadline).to_pylist()
        return rows

    def table(self, table: Table, deadline: float | None = None) -> pa.Table:
        """Execute an expression.

        Args:
            table: the expression.
            deadline: a time of `time.monotonic`; None: no limit.

        Returns:
            Its rows, in a table of Arrow.

        Raises:
            Late: the deadline has passed.
            PitfallsError: the facts cannot be read, or memory or disk are too small for the joins.
        """
        if deadline is not None and time.monotonic() >= deadline:
            raise Late
        try:
            with self._watched(deadline):
                return self.backend.to_pyarrow(table)
        except self.errors as error:
            if deadline is None or time.monotonic() < deadline:
                raise PitfallsError(f"the joins failed: {shortage(error)}") from None
            raise Late from None
        except Exception:
            # Every engine reports an interruption by an exception of its own.
            if self.interrupt is None or deadline is None or time.monotonic() < deadline:
                raise
            raise Late from None

    @contextmanager
    def _watched(self, deadline: float | None) -> Iterator[None]:
        """Interrupt the work inside the block at the deadline."""
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

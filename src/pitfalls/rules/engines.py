"""Engines by the name that the command line gives them: DuckDB, or Spark here or on a cluster."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pitfalls.door.text import reason_of, shortened
from pitfalls.errors import PitfallsError
from pitfalls.rules.engine import Engine

DUCKDB, SPARK = "duckdb", "spark"
LOCAL = "local[*]"
"""Spark in this process, on all cores."""
_SECONDS = 5.0
"""Longest wait for the first answer of a cluster."""
_PORT = 7077


@contextmanager
def open_engine(name: str = DUCKDB, memory: int | None = None) -> Iterator[Engine]:
    """Open an engine, and close it at the end of the block.

    Args:
        name: `duckdb`, `spark` for Spark on this machine, or `spark:` and the address of a cluster.
        memory: limit in bytes, of Spark's driver if it is Spark; None: a share of what is free for
            DuckDB, Spark's own default for Spark.

    Raises:
        PitfallsError: another name, a package or Java is missing, or the cluster does not answer.
    """
    kind, _, address = name.partition(":")
    if kind == DUCKDB and name == DUCKDB:
        engine = Engine.of(None, memory)
        try:
            yield engine
        finally:
            engine.backend.disconnect()
    elif kind == SPARK and (address or name == SPARK):
        with _spark(address or LOCAL, memory) as engine:
            yield engine
    else:
        raise PitfallsError(
            f"--engine {shortened(name)!r}: expected {DUCKDB}, {SPARK} or {SPARK}:URL, such as "
            f"{SPARK}:spark://host:{_PORT}"
        )


@contextmanager
def _spark(address: str, memory: int | None) -> Iterator[Engine]:
    told = f"--engine {SPARK}:{shortened(address)}"
    if not _has_java():
        raise PitfallsError(
            f"{told}: needs Java, which is not installed; set JAVA_HOME to its folder"
        )
    _ask(address, told)
    try:
        import ibis
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise PitfallsError(f"{told}: needs PySpark: pip install 'pitfalls[spark]'") from None
    errors = (PySparkException, Py4JError)
    try:
        session = _session(SparkSession.builder.master(address), memory)
    except (*errors, ValueError, OSError) as error:
        raise PitfallsError(f"{told}: Spark does not start: {reason_of(error)}") from None
    try:
        yield Engine(ibis.pyspark.connect(session), None, errors)
    finally:
        session.stop()


def _session(builder: Any, memory: int | None) -> Any:
    told = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    told |= {"spark.log.level": "ERROR", "spark.app.name": "pitfalls"}
    if memory is not None:
        told["spark.driver.memory"] = f"{max(1, memory >> 20)}m"
    for name, value in told.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    return found is not None


def _ask(address: str, told: str) -> None:
    """Refuse a standalone cluster that does not answer; Spark itself would try for minutes."""
    if not address.startswith("spark://"):
        return
    try:
        found = urlsplit(address.split(",")[0])
        socket.create_connection((found.hostname or "", found.port or _PORT), _SECONDS).close()
    except (OSError, ValueError) as error:
        raise PitfallsError(f"{told}: no cluster answers there: {reason_of(error)}") from None

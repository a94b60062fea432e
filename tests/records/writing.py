"""Writers of a run directory, as processes of their own."""

import os
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from made_runs import header, record

from pitfalls.records.header import MomentInfo
from pitfalls.records.record import Fit
from pitfalls.records.run_directory import RunDirectory

PARTS = [f"starter-conflict-coverage.rome.{number:05d}" for number in range(12)]


def started(what: Any, *arguments: object) -> BaseProcess:
    process = get_context("spawn").Process(target=what, args=arguments, daemon=True)
    process.start()
    return process


def wait_for(path: Path, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.01)


def write_all(out: Path, number: int, go: Path) -> None:
    """Open the run, note an editor of one's own, and write every part."""
    wait_for(go)
    run = RunDirectory.open(out, header())
    run = run.with_moments(f"editor-{number}", {3: MomentInfo(tokens=64, change=None, end="text")})
    for n, part in enumerate(PARTS):
        rows = [record(case_id=f"{n}", fits=(Fit("theta_m", (1.0,), {"w": 2.0}, float(number)),))]
        run.write(part, rows)
        RunDirectory.open(out, header())


def write_slowly(out: Path, part: str, reached: Path, go: Path) -> None:
    """Write a part, and wait in the middle of it."""
    run = RunDirectory.open(out, header())
    flush = os.fsync

    def slow(descriptor: int) -> None:
        reached.touch()
        wait_for(go)
        flush(descriptor)

    os.fsync = slow
    run.write(part, [record()])

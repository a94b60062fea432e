"""Killing one worker of a run in the middle."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def killing_one(out: Path, workers: Callable[[], Iterable[int]]) -> Iterator[list[int]]:
    """Kill -9, once the run has a part, one of its workers; gives the list it is noted in."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not over.is_set():
            if any(out.glob("records/*.parquet")) and (there := sorted(workers())):
                os.kill(there[-1], signal.SIGKILL)
                killed.append(there[-1])
                return
            time.sleep(0.005)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def named(name: str) -> set[int]:
    """Numbers of this user's processes whose command line begins with `name` (Linux)."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if words.startswith(name.encode()):
                found.add(int(folder.name))
    return found

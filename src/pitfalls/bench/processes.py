"""Workers as processes of this machine, one device each where there are several."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import torch

from pitfalls.bench.chunks import Task
from pitfalls.bench.crew import Lost
from pitfalls.bench.outfit import Answer, Outfit, Servant

GRACE = 5.0
"""Seconds that a worker has to end before it is killed."""


class Processes:
    """So many processes, each with a pipe to this one."""

    def __init__(self, outfit: Outfit, count: int) -> None:
        """No process is started yet.

        Args:
            outfit: of a plain run, whose threads the workers divide among them.
            count: how many workers.
        """
        self.size = count
        threads = max(1, outfit.threads // count)
        self._outfits = [
            replace(outfit, device=device, threads=threads)
            for device in devices(outfit.device, count)
        ]
        self._pipes: dict[int, Connection] = {}
        self._processes: dict[int, BaseProcess] = {}

    def start(self, worker: int) -> None:
        """Start a process; what was left of an earlier one is ended."""
        self._end(worker)
        context = get_context("spawn")  # a fork of a process that has used CUDA cannot
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self._outfits[worker]), daemon=True, name=f"worker {worker}"
        )
        with _deaf():
            process.start()
        theirs.close()  # so that the pipe ends with the process
        self._pipes[worker], self._processes[worker] = ours, process

    def give(self, worker: int, task: Task) -> None:
        """Send a chunk; `wait` tells if the worker is gone."""
        try:
            self._pipes[worker].send(task)
        except OSError:
            return

    def wait(self) -> tuple[int, Answer | Lost]:
        """The next answer, or which worker's pipe has ended."""
        ready = connection.wait(list(self._pipes.values()))
        worker = next(n for n, pipe in self._pipes.items() if pipe in ready)
        try:
            return worker, self._pipes[worker].recv()
        except (EOFError, OSError):
            self._pipes.pop(worker).close()
            self._processes[worker].join(GRACE)
            return worker, Lost(_end_of(self._processes[worker].exitcode))

    def close(self) -> None:
        """End every process."""
        for worker in list(self._processes):
            self._end(worker)

    def _end(self, worker: int) -> None:
        if (pipe := self._pipes.pop(worker, None)) is not None:
            pipe.close()
        if (process := self._processes.pop(worker, None)) is not None:
            process.terminate()
            process.join(GRACE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def devices(device: str, count: int) -> list[str]:
    """A device for each worker: `cuda` is dealt out by number, any other is for all of them."""
    there = torch.cuda.device_count() if device == "cuda" else 0
    return [f"cuda:{worker % there}" if there else device for worker in range(count)]


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started in the block never hear Ctrl-C, which reaches all of a terminal.

    Only the first process decides what becomes of it, and ends the others.
    """
    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def serve(pipe: Connection, outfit: Outfit) -> None:
    """Carry out chunks until the pipe ends; runs in the worker's process."""
    servant = Servant(outfit)
    try:
        while True:
            pipe.send(servant.do(pipe.recv()))
    except (EOFError, OSError):
        return


def _end_of(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"

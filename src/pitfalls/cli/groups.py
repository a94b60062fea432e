"""Registration of commands, and groups with a default command."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import typer
from typer.core import TyperGroup

from pitfalls.door.paths import place
from pitfalls.door.text import text_fault
from pitfalls.errors import PitfallsError

_Words = ParamSpec("_Words")
_Returned = TypeVar("_Returned")


class Commands(typer.Typer):
    """Commands whose texts and paths are checked before they begin."""

    def command(self, *args: Any, **settings: Any) -> Callable[..., Any]:
        """Register a function as typer does."""
        register = super().command(*args, **settings)

        def registered(function: Callable[..., Any]) -> Callable[..., Any]:
            register(_checked(function))
            return function

        return registered


class ListByDefault(TyperGroup):
    """Group that runs `list` when no command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in `list` where nothing was typed."""
        return super().parse_args(ctx, args or ["list"])


def _checked(function: Callable[_Words, _Returned]) -> Callable[_Words, _Returned]:
    """The same function, with its texts checked and `~` filled in in its paths."""

    @wraps(function)
    def call(*args: _Words.args, **options: _Words.kwargs) -> _Returned:
        sound: Any = {name: _sound(name, value) for name, value in options.items()}
        return function(*args, **sound)

    return call


def _sound(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_sound(name, each) for each in value]
    if isinstance(value, Path):
        return place(value)
    if isinstance(value, str) and (fault := text_fault(value)):
        raise PitfallsError(f"{name.replace('_', '-')} {value!a} {fault}")
    return value

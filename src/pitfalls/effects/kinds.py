"""Kinds of things, with well-known names and suitable prompts."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of `data/kinds.toml`."""

    names: tuple[str, ...]
    prompts: tuple[str, ...]
    """With one `{}` for the subject."""
    types: tuple[str, ...] = ()
    """Types in the starter graph that belong to the kind."""


def kinds() -> dict[str, Kind]:
    """Packaged kinds by name."""
    text = files("pitfalls.data").joinpath("kinds.toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Kind]).validate_python(tomllib.loads(text))

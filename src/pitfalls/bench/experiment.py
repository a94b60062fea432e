"""`Experiment`: which cases under which editors, as a typed value and as a TOML file."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from pitfalls.door.text import shortened
from pitfalls.door.values import read_toml
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.vocabulary import DATASETS


class Experiment(BaseModel):
    """What a run measures. Everything that decides its numbers is in here or follows from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "smollm2-135m"
    """A local directory, a GGUF file, a packaged name or a hub id."""
    editors: tuple[str, ...] | None = None
    """Names from `EDITORS`, each with `+mle` behind it for Multi-Label Edit; None takes those of
    `DEFAULT_EDITORS` that can edit the model as it is."""
    data: tuple[str, ...] = tuple(DATASETS)
    """Data sets, `[COLLECTION:]NAME` or paths."""
    cases: PositiveInt | None = None
    """The first so many of every data set; None takes all."""
    seed: int = 0
    """Of everything that is sampled."""
    dtype: str = "float32"
    """What the weights are kept in."""
    device: str = "cpu"
    """A torch device."""
    prefix: str = ""
    """Text in front of every text, such as `<|endoftext|>`; `bos` is the model's own
    beginning-of-text token."""
    skip_degenerate: bool = False
    """Leave out cases that cannot be measured, such as an edit that changes nothing."""
    known: bool = False
    """Leave out cases whose first fact the model does not know: it must prefer e1's true object to
    the one that e1 puts in its place. `cases` counts what is left."""
    chunk: PositiveInt = 20
    """Cases that are worked on and written together; at most this many are lost by a crash."""
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Editor name → settings that win over its preset."""


def read_experiment(path: Path | None, overrides: dict[str, Any]) -> Experiment:
    """The experiment of a TOML file with some values replaced.

    Args:
        path: the file; None for the defaults.
        overrides: field → value; wins over the file, setting by setting.

    Raises:
        UnknownNameError: a key that no experiment has.
        PitfallsError: no such file, no TOML, or a value of the wrong type.
    """
    values = merged(read_toml(path) if path is not None else {}, overrides)
    for key in values:
        if key not in Experiment.model_fields:
            raise UnknownNameError("experiment setting", key, Experiment.model_fields)
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        source = f"{path}: " if path is not None and first["loc"][0] not in overrides else ""
        raise PitfallsError(
            f"{source}{where}: got {shortened(repr(first['input']))}; {first['msg'].lower()}"
        ) from error


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes` made to them, tables into tables."""
    result = dict(values)
    for key, change in changes.items():
        if isinstance(old := result.get(key), dict) and isinstance(change, dict):
            change = merged(old, change)
        result[key] = change
    return result

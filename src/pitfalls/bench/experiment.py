"""`Experiment`: which cases under which editors, as a typed value and as a TOML file."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pitfalls.door.values import read_toml
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.settings import Count, Seed, told
from pitfalls.vocabulary import DATASETS


class Experiment(BaseModel):
    """Description of a run. Everything that decides its numbers is in here or follows from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "smollm2-135m"
    """A local directory, a GGUF file, a packaged name or a hub id."""
    editors: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names from `EDITORS`, with modifiers such as `+mle` behind them, or `all`; None takes those
    of `DEFAULT_EDITORS` that can edit the model as it is."""
    data: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(DATASETS)
    """Data sets, `[COLLECTION:]NAME` or paths."""
    cases: Count | None = None
    """The first so many of every data set; None takes all."""
    seed: Seed = 0
    """Seed of everything that is sampled."""
    dtype: str = "auto"
    """Type that the weights are kept in; `auto` is the checkpoint's own on an accelerator and
    float32 on a CPU."""
    device: str = "auto"
    """A torch device; `auto` is CUDA, else MPS, else the CPU; `spread` is all of them."""
    prefix: str = ""
    """Text in front of every text, such as `<|endoftext|>`; `bos` is the model's own
    beginning-of-text token."""
    skip_degenerate: bool = False
    """Leave out cases that cannot be measured, such as an edit that changes nothing."""
    known: bool = False
    """Leave out cases whose first fact the model does not know: it must prefer e1's true object to
    the one that e1 puts in its place. `cases` counts what is left."""
    chunk: Count = 20
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
        field = error.errors()[0]["loc"][0]
        source = f"{path}: " if path is not None and field not in overrides else ""
        raise PitfallsError(f"{source}{told(error)}") from error


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes` made to them, tables into tables."""
    result = dict(values)
    for key, change in changes.items():
        if isinstance(old := result.get(key), dict) and isinstance(change, dict):
            change = merged(old, change)
        result[key] = change
    return result

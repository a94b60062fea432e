"""Module paths of the parts of a model that editors read and change.

A family is recognised by its structure (which modules exist), never by its name. The families are
rows of `data/architectures.toml`; the rest of the package uses the row that fits a model and has no
branches on families.
"""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from torch import nn

from pitfalls.door.paths import is_file
from pitfalls.door.values import read_toml
from pitfalls.errors import PitfallsError, UnknownNameError

DESCRIPTION = "architecture.toml"
"""File in a model's directory that describes a model of an unknown family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Module paths of one family, relative to the causal language model or to a block."""

    name: str
    blocks: str
    """List of transformer blocks."""
    mlp_in: tuple[str, ...]
    """In a block: first MLP matrices, in module order; two for a gated MLP, unless fused."""
    mlp_out: str
    """In a block: second MLP matrix; its input is the key, its output the value."""
    final_norm: str
    """Norm between the last block and the head."""
    attention: str | None = None
    """In a block: attention module, whose output goes to the residual stream."""
    mlp_norm: str | None = None
    """In a block: norm between the MLP's output and the residual stream."""
    logit_cap: str | None = None
    """Config entry with c, if logits are capped as c·tanh(logits/c)."""
    takes_positions: bool = True
    """Whether the model takes the position of every token as an argument."""
    per_head: tuple[str, ...] = ()
    """Arguments of a block whose first axis is rows × heads instead of rows."""
    longest_text: Literal["config", "none"] = "config"
    """Bound on the length of a text: the config's `max_position_embeddings`, or none."""
    needs: tuple[str, ...] = ()
    """Further modules that distinguish the family from others."""
    models: tuple[str, ...] = ()
    """Models known to fit."""


def architectures() -> tuple[Architecture, ...]:
    """Known families; those with more requirements come first."""
    text = files("pitfalls.data").joinpath("architectures.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["family"]
    return TypeAdapter(tuple[Architecture, ...]).validate_python(rows)


def described(directory: Path) -> tuple[Architecture, ...]:
    """Row from the file `architecture.toml` in a model's directory; empty if there is none.

    Raises:
        PitfallsError: not TOML, a missing or unknown key, or a value of the wrong type.
    """
    file = directory / DESCRIPTION
    return (_row(read_toml(file), file),) if is_file(file) else ()


def _row(keys: dict[str, Any], file: Path) -> Architecture:
    for key in keys:
        if key not in Architecture.__dataclass_fields__:
            raise UnknownNameError(f"key of {file}", key, Architecture.__dataclass_fields__)
    try:
        return TypeAdapter(Architecture).validate_python({"name": file.parent.name} | keys)
    except ValidationError as error:
        first = error.errors()[0]
        raise PitfallsError(f"{file}: {first['loc'][0]}: {first['msg'].lower()}") from error


def architecture_of(
    network: nn.Module, own: Sequence[Architecture] = (), *, directory: Path | None = None
) -> Architecture:
    """Find the row that describes `network`.

    Args:
        network: a causal language model.
        own: rows to try instead of the known families.
        directory: the model's directory, for the advice in an error.

    Raises:
        PitfallsError: no row fits; the message names the first missing module of the nearest one.
    """
    modules = {name for name, _ in network.named_modules()}
    _refuse_experts(network, modules)
    rows = [(_missing(modules, row), row) for row in own or architectures()]
    fitting = next((row for missing, row in rows if not missing), None)
    if fitting is not None:
        return fitting
    missing, nearest = min(rows, key=lambda pair: len(pair[0]))
    file = (directory or Path("MODEL")) / DESCRIPTION
    advice = f"correct {file}" if own else f"describe it in {file}, as docs/models.md shows"
    raise PitfallsError(
        f"{type(network).__name__} belongs to no known family: it lacks the module {missing[0]!r} "
        f"of the nearest one, {nearest.name}; {advice}"
    )


def _missing(modules: set[str], row: Architecture) -> list[str]:
    """Modules of `row` that a model lacks, in search order; per block path only the first."""
    start = f"{row.blocks}."
    below = (name.removeprefix(start) for name in modules if name.startswith(start))
    numbers = sorted({name.partition(".")[0] for name in below}) or ["0"]
    inside = [*row.mlp_in, row.mlp_out, *filter(None, (row.attention, row.mlp_norm))]
    paths = [[row.blocks], *([path] for path in row.needs)]
    paths += [[f"{start}{number}.{path}" for number in numbers] for path in inside]
    absent = ([each for each in some if each not in modules] for some in [*paths, [row.final_norm]])
    return [some[0] for some in absent if some]


def _refuse_experts(network: nn.Module, modules: set[str]) -> None:
    experts = sorted(name for name in modules if name.rpartition(".")[2] == "experts")
    if experts:
        raise PitfallsError(
            f"{type(network).__name__} is a mixture of experts ({experts[0]}): every token goes "
            "through its own MLPs, so no single matrix stores a subject's value; expected a dense "
            "model"
        )

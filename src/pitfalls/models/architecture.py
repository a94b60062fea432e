"""Where the parts of a model are that editors read and change.

A family is recognised by its structure (which modules exist), never by its name: the rows are in
`data/architectures.toml`. Everything else in the package asks the row that fits a model and stays
free of branches on families.
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
"""The file in a model's directory that describes a model of none of the known families."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Module paths of one family, from the causal language model or from inside a block."""

    name: str
    blocks: str
    """The list of transformer blocks."""
    mlp_in: tuple[str, ...]
    """Inside a block: the first MLP matrices, in the order of the module; a gated MLP has two, if
    they are not kept as one."""
    mlp_out: str
    """Inside a block: the second MLP matrix, whose input is the key and whose output the value."""
    final_norm: str
    """The norm between the last block and the head."""
    attention: str | None = None
    """Inside a block: attention as a whole, whose output goes to the residual stream."""
    mlp_norm: str | None = None
    """Inside a block: a norm that the MLP's output goes through on its way to the residual
    stream."""
    logit_cap: str | None = None
    """The entry of the model's config that tells c in c·tanh(logits/c), if its logits are so
    capped."""
    takes_positions: bool = True
    """Whether the model is told the position of every token."""
    per_head: tuple[str, ...] = ()
    """Arguments of a block whose first axis counts the heads of every row, not the rows."""
    longest_text: Literal["config", "none"] = "config"
    """What bounds a text: `max_position_embeddings` of the model's config, or nothing."""
    needs: tuple[str, ...] = ()
    """Further modules by which the family is told from others."""
    models: tuple[str, ...] = ()
    """What is known to fit."""


def architectures() -> tuple[Architecture, ...]:
    """The known families, those first that need most."""
    text = files("pitfalls.data").joinpath("architectures.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["family"]
    return TypeAdapter(tuple[Architecture, ...]).validate_python(rows)


def described(directory: Path) -> tuple[Architecture, ...]:
    """What the file `architecture.toml` in a model's directory says; nothing if there is none.

    Raises:
        PitfallsError: not TOML, a key that is missing or unknown, or a value of the wrong type.
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
    """The row that describes `network`.

    Args:
        network: a causal language model.
        own: rows to try instead of the known families.
        directory: where the model came from, for the advice in an error.

    Raises:
        PitfallsError: no row fits; the message names the module that the nearest one misses.
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
        f"{type(network).__name__} is of no known family: it has no module {missing[0]!r}, which "
        f"the nearest, {nearest.name}, has; {advice}"
    )


def _missing(modules: set[str], row: Architecture) -> list[str]:
    """What of `row` a model lacks, in the order in which it is looked for; of blocks the first."""
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
            f"{type(network).__name__} is a mixture of experts ({experts[0]}): tokens go through "
            "MLPs of their own, so that no one matrix holds a subject's value; expected a dense "
            "model"
        )

"""The one table of model families: where the parts are that editors read and change.

A family is recognised by its structure (which modules exist), never by its name. Everything else in
the package asks the bound `Layout` and stays free of family-specific branches.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn
from transformers.pytorch_utils import Conv1D

from pitfalls.errors import PitfallsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Module paths of one family, relative to the causal language model."""

    name: str
    blocks: str
    """The list of transformer blocks."""
    mlp_in: tuple[str, ...]
    """Inside a block: the first MLP matrices, in the order of the module; a gated MLP has two."""
    mlp_out: str
    """Inside a block: the second MLP matrix, whose input is the key and whose output the value."""
    final_norm: str
    """The norm between the last block and the head."""
    head: str
    """The matrix that turns a hidden state into logits."""
    weight_layout: Literal["in_out", "out_in"]
    """How `mlp_out` stores its matrix: [d_in, d_out] (Conv1D) or [d_out, d_in] (Linear)."""
    attention: str | None = None
    """Inside a block: self-attention; None where blocks have no such part. No editor needs it."""


ARCHITECTURES: tuple[Architecture, ...] = (
    Architecture(
        name="gpt2",
        blocks="transformer.h",
        mlp_in=("mlp.c_fc",),
        mlp_out="mlp.c_proj",
        final_norm="transformer.ln_f",
        head="lm_head",
        weight_layout="in_out",
        attention="attn",
    ),
    Architecture(
        name="gptj",
        blocks="transformer.h",
        mlp_in=("mlp.fc_in",),
        mlp_out="mlp.fc_out",
        final_norm="transformer.ln_f",
        head="lm_head",
        weight_layout="out_in",
        attention="attn",
    ),
    Architecture(
        name="llama",
        blocks="model.layers",
        mlp_in=("mlp.gate_proj", "mlp.up_proj"),
        mlp_out="mlp.down_proj",
        final_norm="model.norm",
        head="lm_head",
        weight_layout="out_in",
        attention="self_attn",
    ),
)


def architecture_of(network: nn.Module) -> Architecture:
    """The row of the table that describes `network`.

    Raises:
        PitfallsError: no row fits; the message names the module each row misses.
    """
    misses = []
    for row in ARCHITECTURES:
        missing = _first_missing(network, row)
        if missing is None:
            return row
        misses.append(f"{row.name} needs {missing}")
    raise PitfallsError(
        f"{type(network).__name__} has a structure that no family in the table describes "
        f"({'; '.join(misses)}): add a row to ARCHITECTURES"
    )


def _first_missing(network: nn.Module, row: Architecture) -> str | None:
    """The first module of `row` that `network` lacks or holds in another layout, or None."""
    modules = dict(network.named_modules())
    inside = (*row.mlp_in, row.mlp_out, *((row.attention,) if row.attention else ()))
    first = [f"{row.blocks}.0.{path}" for path in inside]
    for path in (row.blocks, *first, row.final_norm, row.head):
        if path not in modules:
            return f"a module {path!r}"
    layout = "in_out" if isinstance(modules[f"{row.blocks}.0.{row.mlp_out}"], Conv1D) else "out_in"
    return None if layout == row.weight_layout else f"{row.mlp_out!r} stored as {row.weight_layout}"

"""Weight changes that hold for single rows of a batch.

With them one forward pass reads many differently edited models.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from pitfalls.models.products import linear
from pitfalls.models.rows import by_rows


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """ΔW = B·A, the LoRA convention, whatever layout the model stores W in."""

    B: Float[Tensor, "d_out r"]
    A: Float[Tensor, "r d_in"]

    @property
    def matrix(self) -> Float[Tensor, "d_out d_in"]:
        """ΔW written out."""
        return self.B @ self.A


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """ΔW (d_out × d_in) written out, or Δb (d_out) for a bias."""

    matrix: Float[Tensor, "..."]


Change: TypeAlias = LowRank | Dense
Changes: TypeAlias = Mapping[str, Change]
"""Weight name, such as `model.layers.4.mlp.down_proj.weight`, → its change."""


@contextmanager
def row_patches(network: nn.Module, changes: Sequence[Changes]) -> Iterator[None]:
    """Inside the block, row i of every batch sees the weights plus `changes[i]`.

    Works on matrices and biases of modules that map [rows, tokens, d_in] to [rows, tokens, d_out],
    rows and tokens on one axis or two.
    """
    with ExitStack() as stack:
        for name in sorted({name for row in changes for name in row}):
            rows = [row.get(name) for row in changes]
            module = network.get_submodule(name.rpartition(".")[0])
            stack.callback(_hook(module, rows).remove)
        yield


def _hook(module: nn.Module, rows: Sequence[Change | None]) -> RemovableHandle:
    groups = _group_rows(rows)

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        del module
        x = by_rows(inputs[0], len(rows))
        extra = torch.zeros(*x.shape[:2], output.shape[-1], device=output.device)
        for change, where in groups:
            extra[where] = _effect(change, x[where].float())
        return output + extra.to(output.dtype).view_as(output)

    return module.register_forward_hook(add)


def _group_rows(rows: Sequence[Change | None]) -> list[tuple[Change, list[int]]]:
    """Rows that share one change object share one product."""
    where: dict[int, tuple[Change, list[int]]] = {}
    for i, change in enumerate(rows):
        if change is not None:
            where.setdefault(id(change), (change, []))[1].append(i)
    return list(where.values())


def _effect(change: Change, x: Float[Tensor, "rows tokens d_in"]) -> Any:
    if isinstance(change, LowRank):
        return linear(linear(x, change.A.to(x.device)), change.B.to(x.device))
    matrix = change.matrix.to(x.device)
    return matrix.expand(*x.shape[:-1], -1) if matrix.ndim == 1 else linear(x, matrix)

"""MEND's networks: from the two factors of a gradient to the two factors of an edit.

The gradient of a linear map's matrix is a sum of outer products, one per token: the token's input x
times the gradient δ of the loss at its output. MEND (Mitchell et al. 2022, §3.1) never looks at the
matrix; it learns a map (x, δ) → (x̃, δ̃) and edits by ΔW = α Σ δ̃ x̃ᵀ. Matrices of one shape share one
network; a scale and a shift per matrix tell it which one it works for.

Names of parameters and buffers are those of MEND's published checkpoints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.editors.gradients import Factors
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import LowRank

STD_FLOOR = 1e-7
"""Added to every standard deviation that is divided by."""


@dataclass(frozen=True, slots=True)
class EditedWeight:
    """A matrix that MEND edits."""

    name: str
    """Name of the parameter, such as `model.layers.29.mlp.down_proj.weight`."""
    d_in: int
    d_out: int

    @property
    def shape(self) -> str:
        """Shape that matrices of one network share, as published checkpoints write it."""
        return f"({self.d_in}, {self.d_out})"


class LowRankLayer(nn.Module):
    """x + max(0, s ⊙ (U V x + b) + t), with scale s and shift t of the matrix at hand (§3.2)."""

    def __init__(self, width: int, *, rank: int, n_modes: int) -> None:
        """The identity: U is zero."""
        super().__init__()
        self.u = nn.Parameter(torch.zeros(width, rank))
        self.v = nn.Parameter(torch.randn(rank, width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.mode_shift = nn.Embedding.from_pretrained(torch.zeros(n_modes, width), freeze=False)
        self.mode_scale = nn.Embedding.from_pretrained(torch.ones(n_modes, width), freeze=False)

    def forward(self, x: Float[Tensor, "rows width"], mode: int) -> Float[Tensor, "rows width"]:
        """The layer for the matrix number `mode` of its shape."""
        linear = x @ self.v.mT @ self.u.mT + self.bias
        moved = self.mode_scale.weight[mode] * linear + self.mode_shift.weight[mode]
        # Unlike relu's, the gradient of clamp at 0, where training begins, is not 0.
        return moved.clamp(min=0) + x


class LayerStack(nn.Module):
    """Layers one after the other."""

    def __init__(self, layers: Sequence[LowRankLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Float[Tensor, "rows width"], mode: int) -> Float[Tensor, "rows width"]:
        """All layers for the matrix number `mode`."""
        for layer in self.layers:
            x = layer(x, mode)
        return x


Side: TypeAlias = Literal["u", "v"]
"""u: inputs, v: gradients, as published checkpoints call the two."""


class Transform(nn.Module):
    """The network of one shape of matrix, with what it knows about the size of its inputs.

    In training mode the means and variances run on over whatever it is given, this batch included;
    in evaluation mode they stand still.
    """

    k: Tensor

    def __init__(self, d_in: int, d_out: int, *, rank: int, n_hidden: int, n_modes: int) -> None:
        super().__init__()
        width = d_in + d_out
        self.mlp = LayerStack(
            [LowRankLayer(width, rank=rank, n_modes=n_modes) for _ in range(n_hidden + 1)]
        )
        for side, size in (("u", d_in), ("v", d_out)):
            self.register_buffer(f"{side}_mean", torch.zeros(size))
            self.register_buffer(f"{side}_std", torch.ones(size))
            self.register_buffer(f"{side}_s", torch.zeros(size))
        self.register_buffer("k", torch.zeros(1))

    def forget(self) -> None:
        """Statistics start again with the next batch in training mode."""
        for name, buffer in self.named_buffers():
            buffer.fill_(1.0 if name.endswith("_std") else 0.0)

    def forward(
        self, x: Float[Tensor, "rows d_in"], delta: Float[Tensor, "rows d_out"], mode: int
    ) -> tuple[Float[Tensor, "rows d_in"], Float[Tensor, "rows d_out"]]:
        """x̃ and δ̃ for the matrix number `mode` of this shape."""
        if self.training and len(x):
            self._observe("u", x)
            self._observe("v", delta)
            self.k += len(x)
        joint = torch.cat([self._normal("u", x), self._normal("v", delta)], dim=-1)
        new_x, new_delta = self.mlp(joint, mode).split([x.shape[-1], delta.shape[-1]], dim=-1)
        return new_x, new_delta

    def _normal(self, side: Side, rows: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
        mean, std = self.get_buffer(f"{side}_mean"), self.get_buffer(f"{side}_std")
        return (rows - mean) / (std + STD_FLOOR)

    @torch.no_grad()
    def _observe(self, side: Side, rows: Float[Tensor, "rows d"]) -> None:
        """Add rows to a running mean and sum of squares (Chan et al. 1983)."""
        mean, squares = self.get_buffer(f"{side}_mean"), self.get_buffer(f"{side}_s")
        n, total = len(rows), self.k + len(rows)
        step = rows.mean(0) - mean
        squares += (rows - rows.mean(0)).square().sum(0) + step.square() * self.k * n / total
        mean += step * n / total
        self.get_buffer(f"{side}_std").copy_((squares / (total - 1).clamp(min=1)).sqrt())


class MendNetworks(nn.Module):
    """Everything that is learned: a network per shape of matrix and α, a step size per matrix."""

    def __init__(
        self, weights: Sequence[EditedWeight], *, rank: int, n_hidden: int = 1, lr: float = 1e-4
    ) -> None:
        """Networks that give back what they get, and every α equal to `lr`."""
        super().__init__()
        self.weights, self.rank, self.n_hidden = tuple(weights), rank, n_hidden
        alike: dict[str, list[EditedWeight]] = {}
        for weight in weights:
            alike.setdefault(weight.shape, []).append(weight)
        self._mode = {w.name: i for group in alike.values() for i, w in enumerate(group)}
        self._shape = {weight.name: weight.shape for weight in weights}
        self.mend = nn.ModuleDict(
            {
                shape: Transform(
                    group[0].d_in, group[0].d_out, rank=rank, n_hidden=n_hidden, n_modes=len(group)
                )
                for shape, group in alike.items()
            }
        )
        self.edit_lrs = nn.Parameter(torch.full((len(weights),), lr))

    def forget(self) -> None:
        """Statistics of all shapes start again with the next batch in training mode."""
        for transform in self.mend.values():
            assert isinstance(transform, Transform)
            transform.forget()

    def forward(
        self, name: str, x: Float[Tensor, "rows d_in"], delta: Float[Tensor, "rows d_out"]
    ) -> tuple[Float[Tensor, "rows d_in"], Float[Tensor, "rows d_out"]]:
        """x̃ and δ̃ of the matrix `name`."""
        transform = self.mend[self._shape[name]]
        new_x, new_delta = transform(x, delta, self._mode[name])
        return new_x, new_delta

    def step_sizes(self, order: Sequence[str] | None = None) -> dict[str, Float[Tensor, ""]]:
        """α of each matrix.

        Args:
            order: the matrices in the order in which the step sizes are dealt out; the order that
                the networks were made in if left out.
        """
        names = [weight.name for weight in self.weights] if order is None else order
        return dict(zip(names, self.edit_lrs.unbind(), strict=True))

    def edits(
        self,
        factors: Mapping[str, Factors],
        *,
        n_jobs: int,
        step_sizes: Mapping[str, Float[Tensor, ""]],
    ) -> list[dict[str, LowRank]]:
        """ΔW = α Σ δ̃ x̃ᵀ of each matrix, for each job. Differentiable."""
        changes: list[dict[str, LowRank]] = [{} for _ in range(n_jobs)]
        for name, gradient in factors.items():
            x, delta = self(name, gradient.x, gradient.delta)
            delta = step_sizes[name] * delta
            for job, change in enumerate(changes):
                rows = uploaded((gradient.job == job).nonzero()[:, 0], x.device)
                change[name] = LowRank(B=delta[rows].mT, A=x[rows])
        return changes

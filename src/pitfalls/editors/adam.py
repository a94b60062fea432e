"""Adam over many independent problems at once, each with its own clock."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.optim.adam import adam


@dataclass(eq=False)
class Adam:
    """Kingma & Ba (2015) with torch's defaults; row i of everything belongs to problem i.

    `torch.optim.Adam` keeps one step count for a whole tensor; here a problem that sits a step out
    keeps its own count and moments, and finished problems can be dropped. torch does the sums.
    """

    lr: float
    mean: Float[Tensor, "jobs ..."]
    square: Float[Tensor, "jobs ..."]
    steps: Float[Tensor, " jobs"]
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    @classmethod
    def like(cls, parameter: Float[Tensor, "jobs ..."], *, lr: float) -> "Adam":
        """A fresh state for `parameter`."""
        zeros = torch.zeros_like(parameter)
        return cls(lr, zeros, zeros.clone(), torch.zeros(len(parameter), device=parameter.device))

    @torch.no_grad()
    def step(
        self,
        parameter: Float[Tensor, "jobs ..."],
        gradient: Float[Tensor, "jobs ..."],
        rows: Sequence[int],
    ) -> None:
        """Move some rows of `parameter`, in place."""
        # The kernel walks through memory, whatever the strides.
        state = (parameter, gradient.contiguous(), self.mean, self.square)
        moved, by, means, squares = ([tensor[i] for i in rows] for tensor in state)
        # The fused kernel goes once over memory, which is what bounds a step on large matrices.
        adam(
            moved,
            by,
            means,
            squares,
            [],
            [self.steps[i] for i in rows],
            fused=True,
            amsgrad=False,
            maximize=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=self.epsilon,
        )

    def keep(self, rows: Int[Tensor, " left"]) -> None:
        """Forget the problems not in `rows`, indices on the device of the parameter."""
        self.mean, self.square = self.mean[rows], self.square[rows]
        self.steps = self.steps[rows]

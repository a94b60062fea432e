"""Adam over many independent problems at once, each with its own clock."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(eq=False)
class Adam:
    """Kingma & Ba (2015) with torch's defaults; row i of everything belongs to problem i.

    `torch.optim.Adam` keeps one step count for a whole tensor; here a problem that sits a step out
    keeps its own count and moments, and finished problems can be dropped.
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
        active: Bool[Tensor, " jobs"],
    ) -> None:
        """Move the rows of `parameter` that are `active`, in place."""
        b1, b2 = self.betas
        rows = active.nonzero()[:, 0]
        g = gradient[rows]
        self.steps[rows] += 1
        self.mean[rows] = self.mean[rows].lerp(g, 1 - b1)
        self.square[rows] = self.square[rows].mul(b2).addcmul(g, g, value=1 - b2)
        t = self.steps[rows].double().reshape(-1, *[1] * (parameter.ndim - 1))
        size = (self.lr / (1 - b1**t)).to(parameter.dtype)
        root = (1 - b2**t).sqrt().to(parameter.dtype)
        denominator = self.square[rows].sqrt() / root + self.epsilon
        parameter[rows] -= size * self.mean[rows] / denominator

    def keep(self, rows: Bool[Tensor, " jobs"]) -> None:
        """Forget the problems not in `rows`."""
        self.mean, self.square = self.mean[rows], self.square[rows]
        self.steps = self.steps[rows]

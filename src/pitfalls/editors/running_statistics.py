"""Mean and deviation of rows that come in batches, edit after edit (UltraEdit's normaliser)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-7
"""Added where rows are divided by a deviation, and to the number of degrees of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class RunningStatistics:
    """Statistics of all rows so far, in float64."""

    n: Float[Tensor, " 1"]
    """Number of rows."""
    mean: Float[Tensor, " d"]
    """Their mean."""
    var: Float[Tensor, " d"]
    """Sum of squared distances from it, about: see `seen`."""

    @classmethod
    def of(
        cls, tensor: Float[Tensor, " entries"] | None, like: Float[Tensor, "m d"]
    ) -> "RunningStatistics":
        """Statistics that `tensor` was made of; of no rows, of the width of `like`, if None."""
        if tensor is None:
            tensor = torch.zeros(1 + 2 * like.shape[1], dtype=torch.float64, device=like.device)
        rest = tensor.to(like.device)[1:].unflatten(0, (2, -1))
        return cls(tensor.to(like.device)[:1], rest[0], rest[1])

    @property
    def tensor(self) -> Float[Tensor, " entries"]:
        """All of it in one tensor."""
        return torch.cat([self.n, self.mean, self.var])

    def seen(self, rows: Float[Tensor, "m d"]) -> "RunningStatistics":
        """Statistics with `rows` on top.

        As in the released code, the unbiased variance of the new rows counts m times, where m - 1
        would be exact. That of a single row counts as 0; there it is not a number.
        """
        m, rows = len(rows), rows.double()
        n = self.n + m
        apart = rows.mean(0) - self.mean
        within = rows.var(0) if m > 1 else torch.zeros_like(apart)
        return RunningStatistics(
            n, self.mean + m * apart / n, self.var + m * within + self.n * m * apart**2 / n
        )

    def normalised(self, rows: Float[Tensor, "m d"]) -> Float[Tensor, "m d"]:
        """Rows less the mean, in units of the deviation."""
        deviation = (self.var / (self.n - 1 + EPSILON)).sqrt()
        return (rows.double() - self.mean) / (deviation + EPSILON)

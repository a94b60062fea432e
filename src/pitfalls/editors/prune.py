"""PRUNE: no singular value of all changes stays far above the model's own (Ma et al. 2025)."""

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, final

import torch
from jaxtyping import Float
from pydantic import Field, Strict
from torch import Tensor

from pitfalls.editors.editor import Job
from pitfalls.editors.modified import ModifiedEditor, fixed, weight_before
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change, Dense
from pitfalls.updates.carried import Carried, Latest
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class Prune(ModifiedEditor):
    """Perturbation restraint on the upper bound: the sum of all changes is restrained as one.

    The paper (arXiv:2405.16821) restrains once, behind the last edit of a sequence. Here every
    update is such that the sum so far is restrained, as if its edit were the last; the sum as it
    was fitted is carried along, so that nothing is restrained twice. A widely used program adds the
    restrained sum to weights that hold the sum already, W₀ + D + f(D); this is W₀ + f(D).
    """

    log_base: Annotated[float, Strict(), Field(gt=1, allow_inf_nan=False)] = math.e
    """α, by default that of the released code, whose numbers are reproduced. Singular values below
    1/ln α grow at first instead of shrinking."""

    def modify(self, model: LanguageModel, job: Job, update: Update) -> Update:
        """Update that takes W to W₀ + f(D), W₀ being the weight before the sequence."""
        changes: dict[str, Change] = dict(update.changes)
        carried = dict(update.carried)
        for name, change in update.changes.items():
            if len(change.shape) == 2:
                changes[name], state = self._restrain(model, job, name, change)
                carried |= state
        return replace(update, changes=MappingProxyType(changes), carried=MappingProxyType(carried))

    def _restrain(
        self, model: LanguageModel, job: Job, name: str, change: Change
    ) -> tuple[Change, dict[str, Carried]]:
        """Change of one matrix, and the state for the fits after it."""
        matrix, bound = fixed(name, change), job.base.carried.get(f"largest of {name}")
        if bound is None:
            largest = torch.linalg.matrix_norm(weight_before(model, name, job.base).double(), 2)
            earlier = torch.zeros_like(matrix)
        else:
            largest = bound.tensor[0]
            earlier = job.base.carried[f"sum of {name}"].tensor.to(matrix)
        total = earlier + matrix
        before = restrained(earlier, largest.item(), self.log_base)
        after = restrained(total, largest.item(), self.log_base)
        untouched = before is earlier and after is total
        state: dict[str, Carried] = {
            f"largest of {name}": Latest(largest[None]),
            f"sum of {name}": Latest(total),
        }
        return change if untouched else Dense(after - before), state


def restrained(
    D: Float[Tensor, "d_out d_in"], largest: float, log_base: float
) -> Float[Tensor, "d_out d_in"]:
    """f(D): singular values s above m = `largest` become log_α s − log_α m + m.

    Returns:
        `D` itself if none is above.
    """
    U, s, V = torch.linalg.svd(D.double(), full_matrices=False)
    above = s > largest
    if not above.any():
        return D
    lower = (s[above] / largest).log() / math.log(log_base) + largest
    return (D + (U[:, above] * (lower - s[above])) @ V[above]).to(D.dtype)

"""RECT: only the entries that a change moves most stay (Gu et al. 2024, arXiv:2401.04700)."""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, final

from jaxtyping import Float
from pydantic import Field, Strict
from torch import Tensor, where, zeros_like

from pitfalls.editors.editor import Job
from pitfalls.editors.modified import ModifiedEditor, fixed, weight_before
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.updates.update import Update

EPSILON = 1e-8
"""Added to weights before they divide: some are 0."""


@final
@dataclass(frozen=True, kw_only=True)
class Rect(ModifiedEditor):
    """Relative change in weights, as regularisation: small relative changes are set to 0.

    The change is filtered behind the fit, whose later layers have seen all of the earlier ones. It
    is dense, also where the inner editor's was of low rank.
    """

    keep: Annotated[float, Strict(), Field(gt=0, le=1)] = 0.4
    """Share of each weight's entries that stay."""

    def modify(self, model: LanguageModel, job: Job, update: Update) -> Update:
        """The entries of ΔW with the largest |ΔW / W|, W the weight that the job found."""
        changes = {
            name: Dense(
                largest_relative(
                    fixed(name, change), weight_before(model, name, job.base), self.keep
                )
            )
            for name, change in update.changes.items()
        }
        return replace(update, changes=MappingProxyType(changes))


def largest_relative(
    change: Float[Tensor, "..."], weight: Float[Tensor, "..."], keep: float
) -> Float[Tensor, "..."]:
    """The share `keep` of the entries of `change` that are largest relative to `weight`; else 0."""
    relative = (change / (weight.to(change) + EPSILON)).abs()
    rank = max(1, int((1 - keep) * relative.numel()))
    least = relative.flatten().kthvalue(rank).values
    return where(relative >= least, change, zeros_like(change))

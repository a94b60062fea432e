"""MEMIT for sequences of edits: the keys of earlier edits weigh like those of new ones."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.key_history import RememberingEditor
from pitfalls.editors.insertion.moment_factors import moment_factors
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import LowRank
from pitfalls.settings import Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class MemitSeq(RememberingEditor):
    """MEMIT that also leaves alone the keys of the edits before it.

    Choose it for long sequences of edits; it is the baseline that AlphaEdit has to beat.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="baseline of Fang et al. 2025, arXiv:2410.02355"
    )
    title: ClassVar[str] = "MEMIT-seq"

    moment_weight: Positive = 15_000.0
    """λ, how much the old associations weigh against the new ones."""

    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> LowRank:
        """ΔW = R Kᵀ (λC + K_pK_pᵀ + KKᵀ)⁻¹: MEMIT's solve, the earlier keys with no residual."""
        C = moment_factors(model, self.layers, self.moments)[layer]
        M = torch.cat([K, self.earlier(base, layer, K)], 1)
        return batch_insertion(M, R, C, self.moment_weight)

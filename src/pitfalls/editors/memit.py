"""MEMIT: many facts at once, spread over several layers (Meng et al. 2023)."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.moment_factors import moment_factors
from pitfalls.editors.insertion.spreading import SpreadingEditor
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import LowRank
from pitfalls.settings import Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class Memit(SpreadingEditor):
    """Mass-editing memory: a value z per fact at the last layer, written into all of `layers`.

    Choose it for batches: the edits of one job are inserted together, by one least-squares solve a
    layer.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Meng et al. 2023, arXiv:2210.07229"
    )
    title: ClassVar[str] = "MEMIT"

    moment_weight: Positive = 15_000.0
    """λ, how much the old associations weigh against the new ones (§4.2)."""

    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> LowRank:
        """ΔW = R Kᵀ (λC + KKᵀ)⁻¹ (Eq. 14); what the base carries plays no part."""
        del base
        C = moment_factors(model, self.layers, self.moments)[layer]
        return batch_insertion(K, R, C, self.moment_weight)

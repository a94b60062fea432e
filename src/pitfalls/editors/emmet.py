"""EMMET: the values of a batch as equalities instead of least squares (Gupta et al. 2024)."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.moment_factors import ridged_factors
from pitfalls.editors.insertion.spreading import SpreadingEditor
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import LowRank
from pitfalls.settings import NonNegative, Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class Emmet(SpreadingEditor):
    """ROME for batches: new values are constraints, softened by λe so that keys may be alike.

    For two facts or more it equals MEMIT with the weight λ·λe (arXiv:2403.14236). A single
    fact has no λe, as in the released code: its value is met exactly.
    """

    title: ClassVar[str] = "EMMET"
    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Gupta et al. 2024, arXiv:2403.14236"
    )

    moment_weight: Positive = 15_000.0
    """λ, how much the old associations weigh."""
    slack: Positive = 0.1
    """λe, how much the values of a batch may be missed."""
    norm_weight: NonNegative = 0.0
    """μ, the weight of ‖ΔW‖² beside λC."""

    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> LowRank:
        """ΔW = R (KᵀC'⁻¹K + λe I)⁻¹ KᵀC'⁻¹ with C' = λC + μI."""
        del base
        ridge = self.norm_weight / self.moment_weight
        C = ridged_factors(model, self.layers, self.moments, ridge)[layer]
        slack = self.slack if K.shape[1] > 1 else 0.0
        return batch_insertion(K, R, C, self.moment_weight, slack=slack)

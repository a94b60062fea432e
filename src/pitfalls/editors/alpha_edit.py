"""AlphaEdit: edits within the null space of what a layer already knows (Fang et al. 2025)."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.key_history import RememberingEditor
from pitfalls.editors.insertion.null_space import null_spaces
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import LowRank
from pitfalls.settings import Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class AlphaEdit(RememberingEditor):
    """MEMIT with P in place of λC: the change has no effect on keys that the text has.

    Choose it for long sequences of edits. Its updates carry the keys of their edits, which the
    edits on top of them leave alone.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Fang et al. 2025, arXiv:2410.02355"
    )
    title: ClassVar[str] = "AlphaEdit"

    threshold: Positive = 0.02
    """Eigenvalue of C below which a direction belongs to the null space."""
    ridge: Positive = 10.0
    """L2, the weight of ‖ΔW‖²."""

    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> LowRank:
        """ΔWᵀ = [P(KKᵀ + K_pK_pᵀ) + L2·I]⁻¹ P K Rᵀ (Eq. 14), K_p the keys of earlier edits.

        With M = [K K_p] and P = PP the push-through identity gives [P M Mᵀ + L2·I]⁻¹ P M =
        P M [MᵀP M + L2·I]⁻¹, a system as large as there are keys; ΔW takes its first n columns.
        """
        P = null_spaces(model, self.layers, self.moments, self.threshold)[layer]
        M = torch.cat([K, self.earlier(base, layer, K)], 1).double()
        PM = P.project(M)
        ridge = self.ridge * torch.eye(M.shape[1], dtype=M.dtype, device=M.device)
        A = torch.linalg.solve(M.mT @ PM + ridge, PM.mT)[: K.shape[1]]
        return LowRank(B=R.float(), A=A.float())

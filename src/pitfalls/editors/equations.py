"""The closed forms of the papers, tensors in and tensors out, in the papers' letters."""

from jaxtyping import Float
from torch import Tensor

from pitfalls.models.patches import LowRank


def rank_one_insertion(
    k: Float[Tensor, " d_in"],
    v: Float[Tensor, " d_out"],
    Wk: Float[Tensor, " d_out"],
    u: Float[Tensor, " d_in"],
) -> LowRank:
    """ΔW = Λ uᵀ with Λ = (v − Wk)/(uᵀk), so that (W + ΔW) k = v (ROME Eq. 2).

    Args:
        k: the key whose value is to change.
        v: the value it shall have, v*.
        Wk: the value it has now.
        u: the direction that carries the change, C⁻¹k* up to a factor.
    """
    residual = (v - Wk) / (u @ k)
    return LowRank(B=residual[:, None], A=u[None, :])

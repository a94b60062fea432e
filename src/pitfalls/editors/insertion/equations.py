"""The closed forms of the papers, tensors in and tensors out, in the papers' letters."""

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.models.weights.changes import LowRank


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


def batch_insertion(
    K: Float[Tensor, "d_in m"],
    R: Float[Tensor, "d_out n"],
    C: MomentFactor,
    lam: float,
    *,
    slack: float = 1.0,
) -> LowRank:
    """ΔW = R Kᵀ (λC + KKᵀ)⁻¹, the least-squares insertion of n facts (MEMIT Eq. 14).

    λC is not factorised again for every batch: with G = (λC)⁻¹K, Woodbury's identity gives
    (λC + KKᵀ)⁻¹K = G (I + KᵀG)⁻¹, an n x n system. Solved in float64, as the paper does. With s I
    in place of I, it is the insertion of weight s·λ; with s = 0 the values are met exactly.

    Args:
        K: the keys, a column per fact; those behind the first n are to keep their values.
        R: what the layer shall add to each key's value.
        C: the factorised second moment of the keys.
        lam: λ, how much the old associations weigh.
        slack: s, how much the new values may be missed; 0 needs keys that are independent.
    """
    K = K.double()
    G = C.solve(K) / lam
    inner = slack * torch.eye(K.shape[1], dtype=K.dtype, device=K.device) + K.mT @ G
    return LowRank(B=R.float(), A=torch.linalg.solve(inner.mT, G.mT)[: R.shape[1]].float())

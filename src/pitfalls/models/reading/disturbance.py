"""How good an estimate of C is, as those see it who solve with it."""

import torch
from jaxtyping import Float
from torch import Tensor


def disturbance(part: Float[Tensor, "d_in d_in"], whole: Float[Tensor, "d_in d_in"]) -> float:
    """How much more a solve with `part` disturbs the text than one with `whole`; 0 if nothing.

    ROME and MEMIT write along u = C⁻¹k. What that does to the other keys of the text is
    uᵀCu / (uᵀk)², which no other u makes smaller. With H, the C of a part of it, u = H⁻¹k does

        (uᵀCu)(kᵀC⁻¹k) / (uᵀk)²  →  d · tr M² / (tr M)²,  M = H⁻¹C

    times as much; on the right each factor is its mean over the keys of the text. It is 1 if H is C
    up to a factor. Every direction counts alike, however long its keys are: the norm of H − C, by
    contrast, may see nothing but a text's first token, whose keys are hundreds of times as long as
    all others.

    Half of the text against all of it gives about what all of it lacks to a text without end: the
    excess falls as 1/tokens.

    Args:
        part: H, from a part of the text.
        whole: C, from all of it. Neurons that it never woke are left out.

    Returns:
        From 0 up; infinite where H is singular, so that nobody can solve with it.
    """
    awake = whole.diagonal() > 0
    H, C = (each.double()[awake][:, awake] for each in (part, whole))
    (L, is_singular), (K, is_singular_too) = map(torch.linalg.cholesky_ex, (H, C))
    if is_singular or is_singular_too:
        return float("inf")
    S = torch.linalg.solve_triangular(L, K, upper=False)
    M = S.mT @ S  # similar to H⁻¹C: the same traces
    return max((len(M) * M.square().sum() / M.trace().square()).item() - 1, 0.0)

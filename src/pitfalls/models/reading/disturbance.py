"""Quality of an estimate of C for solves with it."""

import torch
from jaxtyping import Float
from torch import Tensor


def disturbance(part: Float[Tensor, "d_in d_in"], whole: Float[Tensor, "d_in d_in"]) -> float:
    """Excess disturbance of the text by a solve with `part` instead of `whole`; 0 if none.

    ROME and MEMIT write along u = C⁻¹k. Its effect on the other keys of the text is
    uᵀCu / (uᵀk)², the least of all u. With H, the C of a part of the text, u = H⁻¹k has

        (uᵀCu)(kᵀC⁻¹k) / (uᵀk)²  →  d · tr M² / (tr M)²,  M = H⁻¹C

    times the effect; on the right each factor is averaged over the keys of the text. The ratio is 1
    if H is a multiple of C. All directions count equally, however long their keys are. The norm of
    H − C, by contrast, may reflect only a text's first token, whose keys are hundreds of times as
    long as all others.

    The excess falls as 1/tokens, so that half of the text against all of it shows about how much
    all of it differs from an infinite text.

    Args:
        part: H, from a part of the text.
        whole: C, from all of it. Neurons that are never active are left out.

    Returns:
        At least 0; infinite if H is singular.
    """
    awake = whole.diagonal() > 0
    H, C = (each.double()[awake][:, awake] for each in (part, whole))
    (L, is_singular), (K, is_singular_too) = map(torch.linalg.cholesky_ex, (H, C))
    if is_singular or is_singular_too:
        return float("inf")
    S = torch.linalg.solve_triangular(L, K, upper=False)
    M = S.mT @ S  # similar to H⁻¹C: the same traces
    return max((len(M) * M.square().sum() / M.trace().square()).item() - 1, 0.0)

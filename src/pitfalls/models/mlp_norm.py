"""Families with a norm between the MLP and the residual stream (Gemma 2 and 3, OLMo 2)."""

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.models.language_model import LanguageModel

HALVINGS = 60
"""Of the range a multiplier lies in, on a logarithmic scale: more than float64 tells apart."""


@torch.no_grad()
def before_mlp_norm(
    model: LanguageModel, layer: int, m: Float[Tensor, "n d"], r: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """What MLP outputs have to change by for the residual stream to change by `r`.

    Where nothing lies between the two, that is `r`. An RMS norm makes g ⊙ m/rms(m) of m, so the
    stream can only get g ⊙ u with rms(u) = 1. Asked for is the u that comes nearest to what the
    stream gets now and r more; the change keeps rms(m), of which the norm knows nothing.

    Args:
        model: the model.
        layer: whose MLP.
        m: outputs of its second matrix, before the change.
        r: the change that is wanted, for each of them.
    """
    path = model.architecture.mlp_norm
    if path is None:
        return r
    norm = model.blocks[layer].get_submodule(path)
    ones = torch.ones_like(m[:1], dtype=model.dtype)  # whose RMS is one
    g, m_double = norm(ones).double().to(m.device), m.double()
    rms = m_double.square().mean(-1, keepdim=True).sqrt()
    target = g * m_double / rms + r.double()
    return (rms * nearest_before_scales(g, target) - m_double).to(m.dtype)


def nearest_before_scales(
    g: Float[Tensor, "1 d"], target: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """The u with rms(u) = 1 for which g ⊙ u is nearest to `target`, in float64.

    With a Lagrange multiplier μ for the constraint, u = g ⊙ target/(g² + μ). At the minimum g² + μ
    is positive, and there rms(u) falls with μ. Scales close to zero thus ask for no more than the
    constraint leaves to them.
    """
    squares = g.square()
    least = squares.min()
    pull = g * target
    # μ + min g² lies between what the steepest direction alone and all of them could ask for.
    weakest = pull[:, squares[0].argmin()].abs()[:, None]
    low = (weakest / g.shape[1] ** 0.5).clamp(min=1e-12 * squares.max())
    high = pull.square().mean(-1, keepdim=True).sqrt().clamp(min=2 * low)
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        long = (pull / (squares - least + middle)).square().mean(-1, keepdim=True) > 1
        low, high = torch.where(long, middle, low), torch.where(long, high, middle)
    return pull / (squares - least + high)

"""Families with a norm between the MLP and the residual stream (Gemma 2 and 3, OLMo 2)."""

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.models.language_model import LanguageModel

HALVINGS = 60
"""Bisection steps for a multiplier, on a logarithmic scale; enough for the precision of float64."""


@torch.no_grad()
def before_mlp_norm(
    model: LanguageModel, layer: int, m: Float[Tensor, "n d"], r: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """Change of MLP outputs that changes the residual stream by `r`.

    Without a norm in between, this is `r`. An RMS norm maps m to g ⊙ m/rms(m), so that the stream
    can only receive g ⊙ u with rms(u) = 1. The result uses the u nearest to the present
    contribution plus r, and keeps rms(m), which the norm ignores.

    Args:
        model: the model.
        layer: the layer of the MLP.
        m: outputs of its second matrix, before the change.
        r: wanted change of the residual stream, for each output.
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
    """Find the u with rms(u) = 1 for which g ⊙ u is nearest to `target`, in float64.

    With a Lagrange multiplier μ for the constraint, u = g ⊙ target/(g² + μ). At the minimum g² + μ
    is positive, and there rms(u) falls with μ. Entries of g near zero therefore give no large
    entries of u.
    """
    squares = g.square()
    least = squares.min()
    pull = g * target
    # μ + min g² lies between the values for the steepest direction alone and for all directions.
    weakest = pull[:, squares[0].argmin()].abs()[:, None]
    low = (weakest / g.shape[1] ** 0.5).clamp(min=1e-12 * squares.max())
    high = pull.square().mean(-1, keepdim=True).sqrt().clamp(min=2 * low)
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        long = (pull / (squares - least + middle)).square().mean(-1, keepdim=True) > 1
        low, high = torch.where(long, middle, low), torch.where(long, high, middle)
    return pull / (squares - least + high)

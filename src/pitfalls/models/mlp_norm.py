"""Families with a norm between the MLP and the residual stream (Gemma 2 and 3, OLMo 2)."""

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.models.language_model import LanguageModel


@torch.no_grad()
def before_mlp_norm(
    model: LanguageModel, layer: int, m: Float[Tensor, "n d"], r: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """What MLP outputs have to change by for the residual stream to change by `r`.

    Where nothing lies between the two, that is `r`. An RMS norm, m → g ⊙ m/rms(m), turns
    m + rms(m)·r/g into g ⊙ m/rms(m) + r but for its length, which the norm sets: to first order,
    and as far as r/g does not lie along m, that is what was asked for. MEMIT asks again at every
    layer for what is still missing.

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
    g = norm(ones).float().to(m.device)
    rms = m.float().pow(2).mean(-1, keepdim=True).sqrt()
    return rms * r / g

"""How likely given tokens are, without a log probability for every other token."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable


def label_logprobs(
    logits: Float[Tensor, "n vocabulary"], ids: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """The numbers log p(ids[i]) under softmax(logits[i]), differentiable once in the logits.

    As `logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]`, but exponentials are taken once for
    both directions, and the gradient is made where the probabilities lie.
    """
    result: Tensor = _LabelLogprobs.apply(logits, ids)
    return result


class _LabelLogprobs(torch.autograd.Function):
    """log p = logit − log Z; ∂ log p(id)/∂ logits = 1_id − p."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, ids: Tensor) -> Tensor:
        p = logits.softmax(-1)
        largest, where = logits.max(-1, keepdim=True)
        # log Z, from the largest logit on: the likeliest token's probability is at least
        # 1/vocabulary, so that its logarithm is sound. Logits are subtracted from one another
        # first, or hundreds would take the last digits off a small difference.
        ahead = -p.gather(1, where).log()
        ctx.save_for_backward(p, ids)
        return (logits.gather(1, ids[:, None]) - largest - ahead)[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        p, ids = ctx.saved_tensors
        slope = p.mul_(-gradient[:, None])
        return slope.scatter_add_(1, ids[:, None], gradient[:, None]), None

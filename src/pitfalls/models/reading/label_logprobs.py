"""Log-probabilities of given tokens only, with a memory-saving gradient."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable


def label_logprobs(
    logits: Float[Tensor, "n vocabulary"], ids: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Log-probabilities log p(ids[i]) under softmax(logits[i]), once differentiable in the logits.

    Same as `logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]`, but exponentials are computed
    once for both passes, and the gradient overwrites the probabilities.
    """
    result: Tensor = _LabelLogprobs.apply(logits, ids)
    return result


class _LabelLogprobs(torch.autograd.Function):
    """Autograd function of log p = logit − log Z, with ∂ log p(id)/∂ logits = 1_id − p."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, ids: Tensor) -> Tensor:
        p = logits.softmax(-1)
        largest, where = logits.max(-1, keepdim=True)
        # log Z relative to the largest logit: the likeliest token's probability is at least
        # 1/vocabulary, so its logarithm is accurate. The logits are subtracted from each other
        # first: adding a log Z in the hundreds would lose the last digits of a small difference.
        ahead = -p.gather(1, where).log()
        ctx.save_for_backward(p, ids)
        return (logits.gather(1, ids[:, None]) - largest - ahead)[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        p, ids = ctx.saved_tensors
        slope = p.mul_(-gradient[:, None])
        return slope.scatter_add_(1, ids[:, None], gradient[:, None]), None

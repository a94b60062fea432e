"""Matrix products in float32 by the quicker of the two libraries that torch brings along for CPUs.

torch hands products of float32 matrices to MKL, which on AMD's processors leaves more than half of
the speed unused; oneDNN, which torch takes for bfloat16, does not. Results differ in rounding only.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers.pytorch_utils import Conv1D


def linear(
    x: Float[Tensor, "... d_in"],
    weight: Float[Tensor, "d_out d_in"],
    bias: Float[Tensor, " d_out"] | None = None,
) -> Float[Tensor, "... d_out"]:
    """x·weightᵀ + bias, differentiable in whatever torch's own `linear` is."""
    if _suits(x, weight) and not weight.requires_grad:
        result: Tensor = _FrozenLinear.apply(x, weight, bias)
        return result
    return nn.functional.linear(x, weight, bias)


def take_quick_products(network: nn.Module) -> None:
    """Let every linear layer of `network` multiply by `linear` from now on."""
    for module in network.modules():
        for kind, quick in QUICK.items():
            if type(module) is kind:
                module.__class__ = quick


def _suits(*tensors: Tensor) -> bool:
    on_cpu = all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
    return on_cpu and torch.backends.mkldnn.is_available()


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """By the operator that torch's compiler emits for a linear layer."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


class _FrozenLinear(torch.autograd.Function):
    """A linear map whose weights need no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _product(gradient, weight.mT, None), None, None


class _QuickLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


class _QuickConv1D(Conv1D):
    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight.mT, self.bias)


QUICK: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: _QuickLinear, Conv1D: _QuickConv1D}
"""A kind of layer → the same with quick products."""

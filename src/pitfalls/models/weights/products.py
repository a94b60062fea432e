"""Matrix products in float32 by oneDNN, the faster of torch's two CPU libraries.

torch uses MKL for float32 products, which reaches less than half of the speed of AMD processors,
and oneDNN for bfloat16. Results differ in rounding only.

oneDNN reorders a weight before each product. For repeated products with the same weights and a few
hundred tokens, the weights are kept in its order meanwhile (`packed`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    """Linear map x·weightᵀ + bias, with the same gradients as torch's own `linear`."""
    if _suits(x, weight) and not weight.requires_grad:
        result: Tensor = _FrozenLinear.apply(x, weight, bias)
        return result
    return nn.functional.linear(x, weight, bias)


def take_quick_products(network: nn.Module) -> None:
    """Make every linear layer of `network` use `linear` from now on."""
    for module in network.modules():
        for kind, quick in QUICK.items():
            if type(module) is kind:
                module.__class__ = quick


def _suits(*tensors: Tensor) -> bool:
    on_cpu = all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
    return on_cpu and torch.backends.mkldnn.is_available()


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Product by the operator that torch's compiler emits for a linear layer."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


class _FrozenLinear(torch.autograd.Function):
    """Linear map with frozen weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _product(gradient, weight.mT, None), None, None


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """A weight in oneDNN's order, for products with it and with its transpose."""

    forwards: Tensor
    backwards: Tensor

    @classmethod
    def of(cls, weight: Float[Tensor, "d_out d_in"]) -> "_Packed":
        pack = torch.ops.mkldnn._reorder_linear_weight
        return cls(pack(weight.contiguous()), pack(weight.mT.contiguous()))


class _PackedLinear(torch.autograd.Function):
    """Linear map with frozen, packed weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: _Packed, bias: Tensor | None) -> Tensor:
        ctx.weight = weight
        return _product(x, weight.forwards, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _product(gradient, ctx.weight.backwards, None), None, None


class _Quick:
    """Mixin of the fast layers."""

    packed: _Packed | None = None

    def map(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Apply the layer's linear map; `packed`, if set, is `weight` in oneDNN's order."""
        if self.packed is None or x.dtype != weight.dtype:
            return linear(x, weight, bias)
        result: Tensor = _PackedLinear.apply(x, self.packed, bias)
        return result


class _QuickLinear(_Quick, nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return self.map(input, self.weight, self.bias)

    @property
    def matrix(self) -> Tensor:
        return self.weight


class _QuickConv1D(_Quick, Conv1D):
    def forward(self, x: Tensor) -> Tensor:
        return self.map(x, self.matrix, self.bias)

    @property
    def matrix(self) -> Tensor:
        return self.weight.mT


QUICK: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: _QuickLinear, Conv1D: _QuickConv1D}
"""Layer type → its fast subclass."""

PACKED_AT_MOST = 2**30
"""Most bytes of packed weights; if more would be needed, no weight is packed."""


@contextmanager
def packed(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Inside the block, keep packed copies of the weights of the fast layers in `modules`.

    The weights must not change inside. Blocks may be nested, for the same modules or others.
    """
    layers = [
        layer
        for module in modules
        for layer in module.modules()
        if isinstance(layer, _QuickLinear | _QuickConv1D)
        and layer.packed is None
        and _can_be_packed(layer.matrix)
    ]
    size = 2 * sum(layer.matrix.nbytes for layer in layers)
    fitting = layers if size <= PACKED_AT_MOST else []
    try:
        for layer in fitting:
            layer.packed = _Packed.of(layer.matrix)
        yield
    finally:
        for layer in fitting:
            layer.packed = None


def _can_be_packed(weight: Tensor) -> bool:
    bfloat16 = weight.dtype == torch.bfloat16 and weight.device.type == "cpu"
    return _suits(weight) or (bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())

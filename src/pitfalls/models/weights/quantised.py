"""Bases whose matrices lie in four or eight bits, as bitsandbytes packs them.

Such a matrix stands for the numbers that its bits decode to, and every product here is one with
those numbers. Unlike bitsandbytes' own products in eight bits it does not depend on what else is in
a batch. A matrix that is to be changed is unpacked for good: few bits would round an edit away
(docs/editing.md has figures).
"""

import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import BitsAndBytesConfig

from pitfalls.errors import PitfallsError
from pitfalls.models.weights.products import linear
from pitfalls.models.weights.spread import Placement


@dataclass(frozen=True, slots=True)
class Packing:
    """How matrices of the blocks are packed; everything else stays in bfloat16."""

    bits: int
    settings: Mapping[str, Any]
    """For `BitsAndBytesConfig` of transformers."""


PACKINGS: Mapping[str, Packing] = {
    "nf4": Packing(4, {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}),
    "int8": Packing(8, {"load_in_8bit": True}),
}


def loading_options(packing: str, device: Placement) -> dict[str, Any]:
    """What transformers has to be told, so that it packs matrices while it loads them.

    Raises:
        PitfallsError: bitsandbytes is not installed.
    """
    try:
        import bitsandbytes  # noqa: F401  # an optional extra
    except ImportError as error:
        raise PitfallsError(
            f"weights in {packing} need the package bitsandbytes, which is not installed; "
            "run 'pip install pitfalls[quantised]'"
        ) from error
    config = BitsAndBytesConfig(**PACKINGS[packing].settings, bnb_4bit_compute_dtype=torch.bfloat16)
    one_place = isinstance(device, str) and device != "auto"
    return {"quantization_config": config, "device_map": {"": device} if one_place else device}


def take_exact_products(network: nn.Module) -> bool:
    """Let packed layers multiply by what their bits decode to; whether there are any."""
    layers = [module for module in network.modules() if is_packed(module)]
    for layer in layers:
        layer.forward = partial(_forward, layer)
    return bool(layers)


def is_packed(module: nn.Module) -> bool:
    """Whether `module` is a linear layer of bitsandbytes, in four or eight bits."""
    bnb = sys.modules.get("bitsandbytes")  # whoever has such a layer has imported it
    return bnb is not None and isinstance(module, bnb.nn.Linear4bit | bnb.nn.Linear8bitLt)


def unpacked(layer: nn.Module, dtype: torch.dtype) -> nn.Linear:
    """A linear layer with the numbers that `layer`'s bits decode to, frozen."""
    weight = _decoded(layer, dtype)
    bias = cast("Tensor | None", layer.bias)
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    made.bias = bias  # type: ignore[assignment]  # typed as if it were always there
    return made.eval()


def _forward(layer: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = _DecodingLinear.apply(x, layer)
    return result


class _DecodingLinear(torch.autograd.Function):
    """A linear map whose matrix is decoded when it is needed, and not kept for the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Any) -> Tensor:
        ctx.layer = layer
        bias = None if layer.bias is None else layer.bias.to(x.dtype)
        return linear(x, _decoded(layer, x.dtype), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return linear(gradient, _decoded(ctx.layer, gradient.dtype).mT), None


@torch.no_grad()
def _decoded(layer: Any, dtype: torch.dtype) -> Float[Tensor, "d_out d_in"]:
    functional = sys.modules["bitsandbytes"].functional
    weight = layer.weight
    if weight.dtype == torch.int8:
        decoded: Tensor = functional.int8_vectorwise_dequant(weight.data, weight.SCB)
        return decoded.to(dtype)
    # As one row: on a CPU bitsandbytes misreads some rows that are no multiple of its blocks of 64,
    # which do not end where rows do.
    state = copy(weight.quant_state)
    state.shape = torch.Size((1, weight.quant_state.shape.numel()))
    in_a_row: Tensor = functional.dequantize_4bit(weight.data, state)
    return in_a_row.view(weight.quant_state.shape).to(dtype)

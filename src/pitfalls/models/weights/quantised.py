"""Models with matrices in four or eight bits, packed by bitsandbytes.

All products here use the decoded values of a matrix. Unlike bitsandbytes' own 8-bit products, they
do not depend on the other rows of a batch. A matrix to be edited is unpacked for good, since four
or eight bits would round the edit away (docs/editing.md has figures).
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
from pitfalls.models.weights.spread import Placement, device_map, is_spread


@dataclass(frozen=True, slots=True)
class Packing:
    """Quantised format of the blocks' matrices; all other weights stay in bfloat16."""

    bits: int
    settings: Mapping[str, Any]
    """Arguments of `BitsAndBytesConfig` of transformers."""


PACKINGS: Mapping[str, Packing] = {
    "nf4": Packing(4, {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}),
    "int8": Packing(8, {"load_in_8bit": True}),
}


def loading_options(packing: str, device: Placement) -> dict[str, Any]:
    """Arguments with which transformers packs matrices while loading them.

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
    placed = device_map(device) if is_spread(device) else {"": device}
    return {"quantization_config": config, "device_map": placed}


def take_exact_products(network: nn.Module) -> bool:
    """Make packed layers multiply by their decoded values; return whether there are any."""
    layers = [module for module in network.modules() if is_packed(module)]
    for layer in layers:
        layer.forward = partial(_forward, layer)
    return bool(layers)


def is_packed(module: nn.Module) -> bool:
    """Whether `module` is a linear layer of bitsandbytes, in four or eight bits."""
    bnb = sys.modules.get("bitsandbytes")  # imported already if any such layer exists
    return bnb is not None and isinstance(module, bnb.nn.Linear4bit | bnb.nn.Linear8bitLt)


def unpacked(layer: nn.Module, dtype: torch.dtype) -> nn.Linear:
    """Frozen linear layer with the decoded values of `layer`."""
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
    """Linear map that decodes its matrix anew in the forward and the backward pass."""

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
    # As one row: on a CPU bitsandbytes misreads some rows whose length is not a multiple of its
    # blocks of 64, since blocks continue across rows.
    state = copy(weight.quant_state)
    state.shape = torch.Size((1, weight.quant_state.shape.numel()))
    in_a_row: Tensor = functional.dequantize_4bit(weight.data, state)
    return in_a_row.view(weight.quant_state.shape).to(dtype)

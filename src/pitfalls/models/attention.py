"""Attention in float32 for bfloat16 models on a CPU.

On a CPU, bfloat16 speeds up matrix products but slows down attention: on the short texts of an
edit, the backward pass of torch's bfloat16 kernel takes ten times as long as the float32 one.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "sdpa_in_float32"


def attend_in_float32(network: PreTrainedModel) -> None:
    """Make `network` compute attention in float32 from now on.

    This applies only to bfloat16 networks on a CPU that use torch's own kernels; others are not
    changed.
    """
    slow = network.dtype == torch.bfloat16 and network.device.type == "cpu"
    if slow and network.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, _attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        network.set_attn_implementation(NAME)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **rest: Any,
) -> tuple[Tensor, None]:
    if attention_mask is not None and attention_mask.is_floating_point():
        attention_mask = attention_mask.float()
    output, weights = sdpa_attention_forward(
        module, query.float(), key.float(), value.float(), attention_mask, **rest
    )
    return output.to(query.dtype), weights

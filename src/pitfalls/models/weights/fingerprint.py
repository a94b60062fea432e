"""Hash of a network's weights, to distinguish models with the same name."""

import hashlib

import torch
from transformers import PreTrainedModel

from pitfalls.models.weights.spread import every_weight


def fingerprint_of(network: PreTrainedModel, dtype: torch.dtype | None = None) -> str:
    """Hash over the name, shape, dtype and bytes of every weight.

    Args:
        network: the network; it may be spread over devices and disk.
        dtype: dtype to convert weights to; None keeps theirs.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, kept in every_weight(network):
        weight = kept.to(dtype) if dtype and kept.is_floating_point() else kept
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        flat = weight.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()

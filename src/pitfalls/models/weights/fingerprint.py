"""A hash of a network's weights, by which two models of one name are told apart."""

import hashlib

import torch
from transformers import PreTrainedModel

from pitfalls.models.weights.spread import every_weight


def fingerprint_of(network: PreTrainedModel, dtype: torch.dtype | None = None) -> str:
    """Hash of every weight's name, shape, dtype and bytes; equal networks have equal ones.

    Args:
        network: it may be spread over devices and disk.
        dtype: what weights are taken as; None takes them as they are.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, kept in every_weight(network):
        weight = kept.to(dtype) if dtype and kept.is_floating_point() else kept
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        flat = weight.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()

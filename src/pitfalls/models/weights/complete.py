"""Check that all weights of a network came from its files.

transformers fills a weight that is missing or of another shape with random numbers, and ignores
unknown ones. It only logs this; here such a model is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

SHOWN = 3
"""Names that a message repeats."""

CONSTANTS = re.compile(r"(^|\.)((attn|attention)\.(masked_)?bias|inv_freq|position_ids)$")
"""Entries of older files that are not weights: causal masks, frequencies and position ids, all of
which follow from the config."""


def fault_in(network: nn.Module, loading: Mapping[str, Any]) -> str | None:
    """Difference between `network` and its files, in words; None if there is none.

    Tied weights, and buffers that transformers computes, count as present.

    Args:
        network: the loaded network, on any device.
        loading: loading report of transformers (`output_loading_info=True`), made with
            `ignore_mismatched_sizes=True`, as it would otherwise stop at the first kind of fault.
    """
    if missing := sorted(loading["missing_keys"]):
        return f"no weights for {_listed(missing)}"
    if mismatched := sorted(loading["mismatched_keys"]):
        name, stored, expected = mismatched[0]
        more = f", and {len(mismatched) - 1} more" if len(mismatched) > 1 else ""
        return f"{name} is {_shape(stored)}, its config says {_shape(expected)}{more}"
    buffers = {name for name, _ in network.named_buffers()}
    strange = [
        name
        for name in sorted(loading["unexpected_keys"])
        if name not in buffers and not CONSTANTS.search(name)
    ]
    if strange:
        return f"weights that its config has no place for: {_listed(strange)}"
    for name, weight in network.named_parameters():
        if not weight.is_meta and not _is_finite(weight):
            return f"{name} holds values that are not finite"
    return None


def _is_finite(weight: Tensor) -> bool:
    """Whether all values are finite, by minimum and maximum: `isfinite` would need a copy."""
    return not weight.numel() or all(bool(end.isfinite()) for end in weight.detach().aminmax())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _shape(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))

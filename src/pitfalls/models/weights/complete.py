"""Whether all weights of a network came from its files.

transformers fills a weight that is missing, or of another shape, with random numbers and passes
over one that it has no place for. It only logs that; here such a model is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

SHOWN = 3
"""Names that are worth repeating."""

CONSTANTS = re.compile(r"(^|\.)((attn|attention)\.(masked_)?bias|inv_freq|position_ids)$")
"""What files of older versions hold besides weights: causal masks, frequencies and counts, all of
which follow from the config."""


def fault_in(network: nn.Module, loading: Mapping[str, Any]) -> str | None:
    """What keeps `network` from being what its files say, in words; None if nothing does.

    Tied weights and buffers that transformers rightly computes count as there.

    Args:
        network: as loaded, on any device.
        loading: what transformers returns beside it for `output_loading_info=True`, with
            `ignore_mismatched_sizes=True` lest it stops at the first kind of fault.
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
    """By its least and greatest value, since `isfinite` of all takes another copy of them."""
    return not weight.numel() or all(bool(end.isfinite()) for end in weight.detach().aminmax())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _shape(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))

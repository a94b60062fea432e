"""Models whose weights are spread over devices, memory and disk by accelerate's device map.

Each block runs where its weights are, or where they are brought to. Token ids, hidden states after
the final norm, logits and whatever is optimised are on one device, the model's: where its embedding
runs.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import torch
from accelerate.utils import align_module_device
from torch import Tensor
from transformers import PreTrainedModel

Placement: TypeAlias = str | Mapping[str, str | int]
"""A torch device; `auto`, which fills accelerators first, then memory, then the disk; or a map from
module paths to devices or `disk`, as accelerate's `device_map` has it."""


def is_spread(placement: Placement) -> bool:
    """Whether accelerate has to place the weights."""
    return placement == "auto" or not isinstance(placement, str)


def main_device(network: PreTrainedModel) -> torch.device | None:
    """Where a spread network takes token ids: the first accelerator in its map, or the CPU.

    None if it is not spread: transformers writes no map where everything went to one place.
    """
    placed = vars(network).get("hf_device_map")
    if placed is None:
        return None
    accelerators = [where for where in placed.values() if where not in ("cpu", "disk")]
    return torch.device(accelerators[0] if accelerators else "cpu")


def every_weight(network: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """Names and weights, one after the other; what lies on disk is read and let go again."""
    for name, weight in network.state_dict().items():
        if not weight.is_meta:
            yield name, weight
            continue
        path, _, own = name.rpartition(".")
        module = network.get_submodule(path)
        with align_module_device(module):
            yield name, module.state_dict()[own]

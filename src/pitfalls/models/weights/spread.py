"""Models spread over devices, memory and disk by accelerate's device map.

Each block runs on the device of its weights, or the one they are loaded to. Token ids, hidden
states after the final norm, logits and optimised values are on the main device, that of the
embedding.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import torch
from accelerate.utils import align_module_device
from torch import Tensor
from transformers import PreTrainedModel

SPREAD = "spread"
"""Name for what accelerate calls `auto`."""

Placement: TypeAlias = str | Mapping[str, str | int]
"""A torch device; `auto`, the best one there is; `spread`, which fills accelerators first, then
memory, then the disk; or a map from module paths to devices or `disk`, as accelerate has it."""


def is_spread(placement: Placement) -> bool:
    """Whether accelerate places the weights."""
    return placement == SPREAD or not isinstance(placement, str)


def device_map(placement: Placement) -> Placement:
    """A spread placement as accelerate has it."""
    return "auto" if placement == SPREAD else placement


def main_device(network: PreTrainedModel) -> torch.device | None:
    """Main device of a spread network: the first accelerator in its map, or the CPU.

    None if it is not spread: transformers writes no map if all weights are on one device.
    """
    placed = vars(network).get("hf_device_map")
    if placed is None:
        return None
    accelerators = [where for where in placed.values() if where not in ("cpu", "disk")]
    return torch.device(accelerators[0] if accelerators else "cpu")


def every_weight(network: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """Names and weights, one at a time; those on disk are loaded and released again."""
    for name, weight in network.state_dict().items():
        if not weight.is_meta:
            yield name, weight
            continue
        path, _, own = name.rpartition(".")
        module = network.get_submodule(path)
        with align_module_device(module):
            yield name, module.state_dict()[own]


@contextmanager
def weight_at_hand(network: PreTrainedModel, name: str) -> Iterator[None]:
    """Inside the block the parameter `name` is in memory, also if it lies on disk."""
    with align_module_device(network.get_submodule(name.rpartition(".")[0])):
        yield

"""Rules of an accelerator: mixtures that it refuses, and calls that make the host wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from pitfalls.testing.pretend.memory import NAME

VIEWS = ("as_strided", "view", "_reshape_alias")
"""Operators that only look at memory in another way; others of the kind are made of these."""

WAITING = (
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "equal",
    "bincount",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
)
"""Operators whose result the host has to know before it can go on."""

INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")
"""Operators that take index tensors of the CPU too; a mask among them makes the host wait."""

FILLING = ("fill_", "masked_fill", "masked_fill_")
"""Operators beside the pointwise ones that take a number of the CPU."""

COPY = "_copy_from"
"""Operator of every crossing between the device and the CPU."""

FREE = ("empty", "empty_strided", "set_", "resize_", "_fused_sdp_choice")
"""Operators that launch no kernel."""

MASKS = (torch.bool, torch.uint8)
"""Dtypes of index tensors whose ones have to be counted."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules for one operator."""

    name: str
    """Name without namespace and overload."""
    is_view: bool
    """Whether it only looks at memory in another way."""
    takes_numbers: bool
    """Whether tensors of the CPU without an axis may stand beside those of the device."""
    takes_indices: bool
    """Whether index tensors of the CPU may."""
    is_random: bool
    """Whether it takes a generator of random numbers."""
    writes: bool
    """Whether it writes to what it is given."""

    @property
    def launches(self) -> int:
        """Kernels it launches."""
        return int(self.name not in FREE)

    def refuse_mixing(self, tensors: Sequence[Tensor]) -> None:
        """Refuse tensors of the CPU beside tensors of the device, as CUDA does.

        Raises:
            RuntimeError: there are some, and they are neither numbers nor indices.
        """
        others = [tensor for tensor in tensors if tensor.device.type == "cpu"]
        if not others or len(others) == len(tensors) or self.name == COPY:
            return
        if self.takes_numbers and all(tensor.ndim == 0 for tensor in others):
            return
        if self.takes_indices and not any(tensor.is_floating_point() for tensor in others):
            return
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{NAME}:0 and cpu! (in {self.name})"
        )

    def refuse_generator(self, generator: torch.Generator | None) -> None:
        """Refuse random numbers of the CPU, as CUDA does.

        Raises:
            RuntimeError: it is a generator of the CPU.
        """
        if generator is not None and generator.device.type == "cpu":
            raise RuntimeError(
                f"Expected a '{NAME}' device type for generator but found 'cpu' (in {self.name})"
            )

    def waits(self, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
        """How often the host waits for the device in one call."""
        if self.name == COPY:
            crosses = args[0].device != args[1].device and args[0].numel() > 0
            return int(crosses and not (args[2] if len(args) > 2 else kwargs.get("non_blocking")))
        if self.name == "repeat_interleave":
            return int(kwargs.get("output_size") is None)
        if self.takes_indices:
            indices = [each for each in args[1] if isinstance(each, Tensor)]
            # Indices of the CPU are sent over first; a mask has to be counted.
            return sum(each.device.type == "cpu" or each.dtype in MASKS for each in indices)
        return int(self.name in WAITING)


@cache
def rules_for(op: Any) -> Rules:
    """Rules for an operator of torch."""
    name = op._schema.name.partition("::")[2]
    return Rules(
        name=name,
        is_view=name in VIEWS,
        takes_numbers=torch.Tag.pointwise in op.tags or name in (*INDEXING, *FILLING),
        takes_indices=name in INDEXING,
        is_random=any(argument.name == "generator" for argument in op._schema.arguments),
        writes=op._schema.is_mutable,
    )

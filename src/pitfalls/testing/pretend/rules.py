"""What an accelerator refuses, and what makes the host wait for it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pitfalls.testing.pretend.memory import NAME

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

COPY = "_copy_from"
"""Operator of every crossing between the device and the CPU."""

FREE = ("empty", "empty_strided", "set_", "resize_", "_fused_sdp_choice")
"""Operators that launch no kernel."""


def refuse_mixing(op: Any, tensors: Sequence[Tensor]) -> None:
    """Refuse tensors of the CPU beside tensors of the device, as CUDA does.

    Raises:
        RuntimeError: there are some, and they are neither numbers nor indices.
    """
    own = [tensor for tensor in tensors if tensor.device.type == NAME]
    others = [tensor for tensor in tensors if tensor.device.type == "cpu"]
    if not own or not others or name_of(op) == COPY:
        return
    takes_numbers = torch.Tag.pointwise in op.tags or name_of(op) in INDEXING
    takes_numbers = takes_numbers or name_of(op) in ("fill_", "masked_fill", "masked_fill_")
    if takes_numbers and all(tensor.ndim == 0 for tensor in others):
        return
    if name_of(op) in INDEXING and all(not tensor.is_floating_point() for tensor in others):
        return
    raise RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{NAME}:0 and cpu! (in {op})"
    )


def refuse_generator(op: Any, generator: torch.Generator | None) -> None:
    """Refuse random numbers of the CPU, as CUDA does.

    Raises:
        RuntimeError: it is a generator of the CPU.
    """
    if generator is not None and generator.device.type == "cpu":
        raise RuntimeError(
            f"Expected a '{NAME}' device type for generator but found 'cpu' (in {op})"
        )


def waits(op: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """How often the host waits for the device in one call of an operator."""
    name = name_of(op)
    if name == COPY:
        crosses = args[0].device != args[1].device
        return int(crosses and not (args[2] if len(args) > 2 else kwargs.get("non_blocking")))
    if name == "repeat_interleave":
        return int(kwargs.get("output_size") is None)
    if name in INDEXING:
        indices = [each for each in args[1] if isinstance(each, Tensor)]
        # Indices of the CPU are sent over first; a mask has to be counted.
        return sum(
            each.device.type == "cpu" or each.dtype in (torch.bool, torch.uint8)
            for each in indices
        )
    return int(name in WAITING)


def name_of(op: Any) -> str:
    """Name of an operator without its namespace and overload."""
    name: str = op._schema.name.partition("::")[2]
    return name

"""Small tensors of the host, sent to the model's device without waiting for it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def uploaded(
    values: Sequence[Any] | Tensor, device: torch.device, *, dtype: torch.dtype | None = None
) -> Tensor:
    """`values` on `device`; a copy from ordinary memory would wait for all work before it.

    Args:
        values: numbers, or a tensor of the CPU. It must not be written to afterwards.
        device: where to.
        dtype: of numbers; torch's choice if left out.
    """
    made = values if isinstance(values, Tensor) else torch.tensor(values, dtype=dtype)
    if device.type == "cuda":
        made = made.pin_memory()
    # Metal reads the memory of the host only later, when it may be gone.
    return made.to(device, non_blocking=device.type != "mps")

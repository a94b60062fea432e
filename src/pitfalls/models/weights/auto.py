"""The word `auto` for a device and a dtype, and what it stands for on this machine."""

import os
from pathlib import Path

import torch
from transformers import AutoConfig

from pitfalls.models.weights.spread import Placement, is_spread

AUTO = "auto"
"""Device: CUDA, else MPS, else the CPU. Dtype: the checkpoint's own on an accelerator, float32 on
the CPU."""


def device_for(device: Placement) -> Placement:
    """The device that `auto` takes here; any other as it is."""
    if device != AUTO:
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def is_accelerator(device: Placement) -> bool:
    """Whether a model is computed on something faster than the CPU; `device` is not `auto`."""
    if is_spread(device):
        return torch.cuda.is_available()
    return str(device).partition(":")[0] not in ("cpu", "meta")


def dtype_for(dtype: str, device: Placement, directory: Path) -> str:
    """The dtype that `auto` takes for a checkpoint on a device; any other as it is.

    Args:
        dtype: as `LanguageModel.load` takes it.
        device: likewise, but not `auto`.
        directory: the checkpoint's. float16 has too small a range for edits: bfloat16 is taken.
    """
    if dtype != AUTO:
        return dtype
    if not is_accelerator(device):
        return "float32"
    config = AutoConfig.from_pretrained(directory, trust_remote_code=False)
    return "bfloat16" if config.dtype in (torch.bfloat16, torch.float16) else "float32"


def memory_of(device: Placement) -> int | None:
    """Bytes of memory of a device, used or not; None where that is not known.

    Args:
        device: not `auto`.
    """
    if is_spread(device):
        return None
    where = torch.device(str(device))
    if where.type == "cuda":
        return int(torch.cuda.get_device_properties(where).total_memory)
    if where.type in ("cpu", "mps") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None

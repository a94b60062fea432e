"""Changes on several devices: some loaded from files, some fitted on an accelerator."""

import torch

from pitfalls.models.weights.changes import Change, Changes


def all_finite(changes: Changes) -> bool:
    """Whether every number is finite: read from the device once, and not for every tensor."""
    told = [
        tensor.isfinite().all()
        for change in changes.values()
        for tensor in change.tensors().values()
    ]
    return not told or bool(torch.stack([each.to(told[0].device) for each in told]).all())


def same_bits(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two tensors, on whatever devices, are equal."""
    return torch.equal(first, second.to(first.device))


def meeting_place(*changes: Change) -> torch.device:
    """The accelerator that one of them is on, or the CPU."""
    devices = [tensor.device for change in changes for tensor in change.tensors().values()]
    return next((device for device in devices if device.type != "cpu"), devices[0])

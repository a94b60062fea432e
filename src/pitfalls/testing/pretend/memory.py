"""Tensors of the pretend device and of the CPU over the same memory."""

import weakref
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch._C import DispatchKey

NAME = "pretend"
"""Name of the device, as in `tensor.to("pretend")`."""


class _Twin(Protocol):
    """Storage with a link to its twin: one holds the other, which only points back."""

    host: torch.UntypedStorage
    device_twin: "weakref.ref[torch.UntypedStorage]"


def on_device(host: Tensor) -> Tensor:
    """Tensor of the pretend device over the memory of `host`, a tensor of the CPU.

    Views of one tensor share one storage, as they do on the CPU.
    """
    made: Tensor = torch._C._acc.create_empty_tensor((0,), host.dtype)
    return pointed_at(made, host)


def pointed_at(tensor: Tensor, host: Tensor) -> Tensor:
    """`tensor` of the pretend device, made to lie over the memory of `host`, in place."""
    storage = _device_storage(host.untyped_storage())
    place = (host.storage_offset(), host.shape, host.stride())
    torch.ops.aten.set_.source_Storage_storage_offset._op_dk(
        DispatchKey.CPU, tensor, storage, *place
    )
    return tensor


def on_host(tensor: Tensor) -> Tensor:
    """Tensor of the CPU over the memory of `tensor`, a tensor of the pretend device."""
    storage = cast(_Twin, tensor.untyped_storage()).host
    made = torch.empty(0, dtype=tensor.dtype)
    return made.set_(storage, tensor.storage_offset(), tensor.shape, tensor.stride())


def moved(tensor: Tensor, host: Tensor) -> bool:
    """Whether `host`, once the memory of `tensor`, has another size or lies elsewhere by now."""
    return (
        tensor.shape != host.shape
        or tensor.stride() != host.stride()
        or tensor.untyped_storage().data_ptr() != host.untyped_storage().data_ptr()
        or tensor.untyped_storage().nbytes() != host.untyped_storage().nbytes()
    )


def _device_storage(host: torch.UntypedStorage) -> torch.UntypedStorage:
    """Storage of the pretend device over `host`; the one made before, if it still fits."""
    known: Any = getattr(host, "device_twin", lambda: None)()
    if (
        known is not None
        and known.nbytes() == host.nbytes()
        and known.data_ptr() == host.data_ptr()
    ):
        return cast(torch.UntypedStorage, known)
    device = torch.device(NAME, 0)
    made: Any = torch._C._construct_storage_from_data_pointer(
        host.data_ptr(), device, host.nbytes()
    )
    made.host = host
    cast(_Twin, host).device_twin = weakref.ref(made)
    return cast(torch.UntypedStorage, made)

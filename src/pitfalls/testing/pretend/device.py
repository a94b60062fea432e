"""The pretend device itself: every operator called on its tensors comes by here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._C import DispatchKey
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from pitfalls.models.language_model import LanguageModel
from pitfalls.testing.pretend.memory import NAME, moved, on_device, on_host, pointed_at
from pitfalls.testing.pretend.rules import (
    COPY,
    FREE,
    name_of,
    refuse_generator,
    refuse_mixing,
    waits,
)
from pitfalls.testing.pretend.work import Work

VIEWS = ("as_strided", "view", "_reshape_alias")
"""Operators that only look at memory in another way; others of the kind are made of these."""


class PretendDevice:
    """The device: runs operators on the CPU, refuses what CUDA refuses, and counts."""

    def __init__(self) -> None:
        """Random numbers of its own, and nobody who counts."""
        self.random = torch.Generator()
        self.watching: list[Work] = []

    @contextmanager
    def watched(self) -> Iterator[Work]:
        """Inside the block, count what the device does."""
        work = Work()
        self.watching.append(work)
        try:
            yield work
        finally:
            self.watching.remove(work)

    def run(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        """Run an operator that was called with a tensor of the device, or is to make one."""
        if name_of(op) in VIEWS:
            return op._op_dk(DispatchKey.CPU, *args, **kwargs)
        tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, Tensor)]
        refuse_mixing(op, tensors)
        self._count(op, args, kwargs)
        if name_of(op) == COPY:
            return _copied(*args)
        return self._on_host(op, tensors, args, kwargs)

    def _count(self, op: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        name = name_of(op)
        for work in self.watching:
            work.note(name, waits(op, args, kwargs), int(name not in FREE))

    def _on_host(
        self, op: Any, tensors: Sequence[Tensor], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        hosts = {
            id(tensor): on_host(tensor) if tensor.device.type == NAME else tensor
            for tensor in tensors
        }
        originals = {id(hosts[id(tensor)]): tensor for tensor in tensors}

        def there(each: Any) -> Any:
            if isinstance(each, torch.device):
                return torch.device("cpu") if each.type == NAME else each
            return hosts[id(each)] if isinstance(each, Tensor) else each

        def back(each: Any) -> Any:
            if not isinstance(each, Tensor):
                return each
            return originals[id(each)] if id(each) in originals else on_device(each)

        kwargs = self._with_own_random(op, kwargs)
        with torch._C._AutoDispatchBelowAutograd():
            made = op(*tree_map(there, args), **tree_map(there, kwargs))
        for tensor in tensors:
            if tensor.device.type == NAME and moved(tensor, hosts[id(tensor)]):
                pointed_at(tensor, hosts[id(tensor)])
        return tree_map(back, made)

    def _with_own_random(self, op: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Random numbers come from the device's generator, which no other device shares."""
        if all(argument.name != "generator" for argument in op._schema.arguments):
            return kwargs
        refuse_generator(op, kwargs.get("generator"))
        return {**kwargs, "generator": self.random}


@cache
def pretend_device() -> PretendDevice:
    """The pretend device, made known to torch at the first call.

    A process has one for its whole life. torch cannot have another private device beside it.
    """
    device = PretendDevice()

    class Module:
        """Functions of `torch.pretend`."""

        is_initialized = is_available = staticmethod(lambda: True)
        current_device = staticmethod(lambda: 0)
        device_count = staticmethod(lambda: 1)
        _is_in_bad_fork = staticmethod(lambda: False)
        manual_seed_all = staticmethod(lambda seed: device.random.manual_seed(seed))

    _setup_privateuseone_for_python_backend(NAME, backend_module=Module())  # type: ignore[no-untyped-call]
    library = torch.library.Library("_", "IMPL")  # noqa: TOR901  (lives as long as the device)
    _fall_back(library, device.run)
    return device


def _fall_back(library: torch.library.Library, run: Callable[..., Any]) -> None:
    library.fallback(run, "PrivateUse1")  # type: ignore[no-untyped-call]
    pretend_libraries().append(library)


@cache
def pretend_libraries() -> list[torch.library.Library]:
    """What holds the device in torch; it would be taken out with the last reference."""
    return []


def to_pretend(model: LanguageModel) -> LanguageModel:
    """Move `model` to the pretend device, in place; tied weights stay tied.

    Returns:
        The same model, for a chain of calls.
    """
    pretend_device()
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        model.network.to(NAME)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
    return model


def _copied(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    """A copy between devices, or on one, with torch's rules of shapes and dtypes."""
    del non_blocking
    hosts = [on_host(each) if each.device.type == NAME else each for each in (source, target)]
    with torch._C._AutoDispatchBelowAutograd():
        hosts[1].copy_(hosts[0])
    return target

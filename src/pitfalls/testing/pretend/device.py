"""The pretend device itself: every operator called on its tensors comes by here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._C import DispatchKey
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from pitfalls.models.language_model import LanguageModel
from pitfalls.testing.pretend.memory import NAME, moved, on_device, on_host, pointed_at
from pitfalls.testing.pretend.rules import COPY, rules_for
from pitfalls.testing.pretend.work import Work


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
        rules = rules_for(op)
        if rules.is_view:
            return op._op_dk(DispatchKey.CPU, *args, **kwargs)
        hosts: dict[int, tuple[Tensor, Tensor]] = {}
        here = [_on_host(each, hosts) for each in args]
        here_too = {name: _on_host(each, hosts) for name, each in kwargs.items()}
        rules.refuse_mixing([tensor for tensor, _ in hosts.values()])
        for work in self.watching:
            work.note(rules.name, rules.waits(args, kwargs), rules.launches)
        if rules.is_random:
            rules.refuse_generator(kwargs.get("generator"))
            here_too["generator"] = self.random
        with torch._C._AutoDispatchBelowAutograd():
            if rules.name == COPY:
                here[1].copy_(here[0])
                return args[1]
            made = op(*here, **here_too)
        if rules.writes:
            _follow(hosts)
        originals = {id(host): tensor for tensor, host in hosts.values()}
        return _back(made, originals)


def _on_host(given: Any, hosts: dict[int, tuple[Tensor, Tensor]]) -> Any:
    """An argument as the CPU takes it; `hosts` notes each tensor, and the one in its place."""
    if isinstance(given, Tensor):
        if id(given) not in hosts:
            host = on_host(given) if given.device.type == NAME else given
            hosts[id(given)] = (given, host)
        return hosts[id(given)][1]
    if isinstance(given, torch.device):
        return torch.device("cpu") if given.type == NAME else given
    if isinstance(given, list | tuple) and not isinstance(given, torch.Size):
        return [_on_host(each, hosts) for each in given]
    return given


def _follow(hosts: dict[int, tuple[Tensor, Tensor]]) -> None:
    """Where an operator gave a tensor other memory, give it to the device's tensor too."""
    for tensor, host in hosts.values():
        if tensor.device.type == NAME and moved(tensor, host):
            pointed_at(tensor, host)


def _back(made: Any, originals: dict[int, Tensor]) -> Any:
    """A result as the device gives it: what was given comes back as it was given."""
    if isinstance(made, Tensor):
        return originals[id(made)] if id(made) in originals else on_device(made)
    if isinstance(made, list | tuple):
        return type(made)(_back(each, originals) for each in made)
    return made


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

    _setup_privateuseone_for_python_backend(NAME, backend_module=Module())
    library = torch.library.Library("_", "IMPL")
    _fall_back(library, device.run)
    return device


def _fall_back(library: torch.library.Library, run: Callable[..., Any]) -> None:
    library.fallback(run, "PrivateUse1")
    pretend_libraries().append(library)


@cache
def pretend_libraries() -> list[torch.library.Library]:
    """Libraries that hold the device in torch; it would be taken out with the last reference."""
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
        model.network.to(NAME)  # type: ignore[arg-type]  # wrapped without its types
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
    return model

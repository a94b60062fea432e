"""Inputs and outputs of modules, read without running more of the model than needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import by_rows, first_of
from pitfalls.models.running.passes import right_output
from pitfalls.models.tokens import SplitBatch

K = TypeVar("K")
V = TypeVar("V")


class _Enough(Exception):
    """Raised inside a forward pass once all modules have been seen."""


def traffic(
    model: LanguageModel, batch: SplitBatch, modules: Mapping[K, nn.Module]
) -> dict[K, tuple[Float[Tensor, "rows right d_in"], Float[Tensor, "rows right d_out"]]]:
    """First input and output of each of `modules`.

    Args:
        model: the model; nothing after the last of `modules` is run.
        batch: texts without left parts.
        modules: any of the model's modules, under any names.
    """

    def both(args: tuple[Any, ...], output: Any) -> tuple[Tensor, Tensor]:
        return by_rows(args[0], len(batch.right)).to(model.device), _kept(model, batch, output)

    return _seen(model, batch, modules, both)


def outputs(
    model: LanguageModel, batch: SplitBatch, modules: Mapping[K, nn.Module]
) -> dict[K, Float[Tensor, "rows right d_out"]]:
    """Outputs of each of `modules`. Unlike `traffic`, it allows keyword-only inputs."""
    return _seen(model, batch, modules, lambda args, output: _kept(model, batch, output))


@torch.no_grad()
def _seen(
    model: LanguageModel,
    batch: SplitBatch,
    modules: Mapping[K, nn.Module],
    of: Callable[[tuple[Any, ...], Any], V],
) -> dict[K, V]:
    seen: dict[K, V] = {}
    hooks = []
    for name, module in modules.items():

        def note(module: nn.Module, args: tuple[Any, ...], output: Any, name: K = name) -> None:
            seen[name] = of(args, output)
            if len(seen) == len(modules):
                raise _Enough

        hooks.append(module.register_forward_hook(note))
    try:
        right_output(model, batch, None)
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _kept(model: LanguageModel, batch: SplitBatch, output: Any) -> Tensor:
    """Copy of the output: Falcon later adds attention's output to the MLP's in place."""
    return by_rows(first_of(output), len(batch.right)).clone().to(model.device)


def mlp_out_traffic(
    model: LanguageModel, batch: SplitBatch, layers: Sequence[int]
) -> dict[int, tuple[Float[Tensor, "rows right d_in"], Float[Tensor, "rows right d_out"]]]:
    """Keys (inputs) and values (outputs) of the second MLP matrix of each of `layers`."""
    return traffic(model, batch, {layer: model.mlp_out(layer) for layer in layers})

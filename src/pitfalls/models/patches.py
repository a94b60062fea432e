"""Weight changes that hold for single rows of a batch.

With them one forward pass reads many differently edited models.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from pitfalls.errors import PitfallsError
from pitfalls.models.changes import Change, Changes
from pitfalls.models.rows import by_rows, first_of

Hook: TypeAlias = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], Any]
Own: TypeAlias = Mapping[str, Change]
"""Changes of one module's own parameters, by their names in it."""
Rows: TypeAlias = list[int]


@contextmanager
def row_patches(network: PreTrainedModel, changes: Sequence[Changes]) -> Iterator[None]:
    """Inside the block, row i of every batch sees the weights plus `changes[i]`.

    Linear layers add the effect of a change to their output. Any other module below the head, such
    as a norm, runs once more for the rows that change it, with their weights.

    Raises:
        PitfallsError: a change of the embedding or the head, which a batch reads for all its rows
            at once, or of a parameter that a module with submodules keeps for itself.
    """
    with ExitStack() as stack:
        for path in sorted({name.rpartition(".")[0] for row in changes for name in row}):
            module = _patchable(network, path)
            own = [_own(row, path) for row in changes]
            hook = _added if isinstance(module, nn.Linear | Conv1D) else _run_again
            stack.callback(module.register_forward_hook(hook(module, own), with_kwargs=True).remove)
        yield


@contextmanager
def every_row(network: PreTrainedModel, changes: Changes) -> Iterator[None]:
    """Inside the block, every row of every batch sees the weights plus `changes`."""

    def add(change: Change) -> Hook:
        def hook(module: nn.Module, inputs: tuple[Any, ...], kwargs: Any, output: Tensor) -> Tensor:
            extra = change.effect(by_rows(inputs[0], 1).float())
            return output + extra.to(output.dtype).view_as(output)

        return hook

    with ExitStack() as stack:
        for name, change in changes.items():
            module = _patchable(network, name.rpartition(".")[0])
            stack.callback(module.register_forward_hook(add(change), with_kwargs=True).remove)
        yield


def _patchable(network: PreTrainedModel, path: str) -> nn.Module:
    module = network.get_submodule(path)
    shared = isinstance(module, nn.Embedding) or module is network.get_output_embeddings()
    if not shared and not list(module.children()):
        return module
    why = "all rows of a batch share it" if shared else f"{type(module).__name__} has submodules"
    raise PitfallsError(
        f"a change of {path!r} cannot be read beside other edits ({why}): change weights of the "
        "blocks, or commit the update to a copy of the model"
    )


def _own(row: Changes, path: str) -> Own:
    return {name.rpartition(".")[2]: row[name] for name in row if name.rpartition(".")[0] == path}


def _added(module: nn.Module, rows: Sequence[Own]) -> Hook:
    """Adds to a linear layer's output what its matrix's and its bias's changes come to."""
    del module
    groups = [group for name in ("weight", "bias") for group in _group_rows(rows, name)]

    def add(module: nn.Module, inputs: tuple[Any, ...], kwargs: Any, output: Tensor) -> Tensor:
        x = by_rows(inputs[0], len(rows))
        extra = torch.zeros(*x.shape[:-1], output.shape[-1], device=output.device)
        for change, where in groups:
            extra[where] += change.effect(x[where].float())
        return output + extra.to(output.dtype).view_as(output)

    return add


def _run_again(module: nn.Module, rows: Sequence[Own]) -> Hook:
    """Puts in place of some rows' output what the module makes of them with changed parameters."""
    edited = [(_with(module, rows[where[0]]), where) for where in _alike(rows)]

    def replace(
        module: nn.Module, inputs: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> Tensor:
        states, *others = inputs
        x, changed = by_rows(states, len(rows)), by_rows(first_of(output), len(rows)).clone()
        for stand_in, where in edited:
            changed[where] = stand_in(x[where], *others, **kwargs)
        return changed.view_as(output)

    return replace


def _with(module: nn.Module, own: Own) -> nn.Module:
    """A stand-in for `module` without its hooks, sharing all but the changed parameters."""
    stand_in = copy(module)
    stand_in._forward_hooks, stand_in._forward_pre_hooks = (
        type(module._forward_hooks)(),
        type(module._forward_pre_hooks)(),
    )
    stand_in._parameters = dict(module._parameters)
    for name, change in own.items():
        weight = module.get_parameter(name)
        if change.matrix is None:
            raise PitfallsError(
                f"a {type(change).__name__} cannot change a {type(module).__name__}"
            )
        new = weight.float() + change.matrix.to(weight.device)
        stand_in._parameters[name] = nn.Parameter(new.to(weight.dtype), requires_grad=False)
    return stand_in


def _group_rows(rows: Sequence[Own], name: str) -> list[tuple[Change, Rows]]:
    """Rows that share one change object share one product."""
    where: dict[int, tuple[Change, Rows]] = {}
    for i, own in enumerate(rows):
        if (change := own.get(name)) is not None:
            where.setdefault(id(change), (change, []))[1].append(i)
    return list(where.values())


def _alike(rows: Sequence[Own]) -> list[Rows]:
    """Rows whose changes are the same objects, those without any left out."""
    where: dict[tuple[tuple[str, int], ...], Rows] = {}
    for i, own in enumerate(rows):
        if own:
            key = tuple((name, id(change)) for name, change in sorted(own.items()))
            where.setdefault(key, []).append(i)
    return list(where.values())

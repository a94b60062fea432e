"""Weight changes that hold for single rows of a batch.

With them one forward pass reads many differently edited models.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from typing import Any, TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from pitfalls.errors import PitfallsError
from pitfalls.models.module_values import by_rows, first_of
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Change, Changes

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
        for path, own in _by_module(changes).items():
            module = _patchable(network, path)
            if isinstance(module, nn.Linear | Conv1D):
                hook = _added(_groups(own), n_rows=len(changes))
            else:
                hook = _run_again(module, own)
            stack.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        yield


@contextmanager
def every_row(network: PreTrainedModel, changes: Changes) -> Iterator[None]:
    """Inside the block, every row of every batch sees the weights plus `changes` of linear layers.

    Raises:
        PitfallsError: as `row_patches`.
    """
    with ExitStack() as stack:
        for name, change in changes.items():
            module = _patchable(network, name.rpartition(".")[0])
            hook = _added([(change, slice(None))], n_rows=1)
            stack.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        yield


def _by_module(changes: Sequence[Changes]) -> dict[str, list[Own]]:
    """Module path → what each row changes of its parameters."""
    found: dict[str, list[dict[str, Change]]] = {}
    for i, row in enumerate(changes):
        for name, change in row.items():
            path, _, parameter = name.rpartition(".")
            found.setdefault(path, [{} for _ in changes])[i][parameter] = change
    return {path: list(found[path]) for path in sorted(found)}


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


def _added(groups: Sequence[tuple[Change, Rows | slice]], *, n_rows: int) -> Hook:
    """Adds what changes come to, each for its rows, to a linear layer's output.

    `n_rows` may be 1 where every group is of all rows: it tells rows apart that lie on one axis.
    """
    here = _Here(groups)

    def add(module: nn.Module, inputs: tuple[Any, ...], kwargs: Any, output: Tensor) -> Tensor:
        x = by_rows(inputs[0], n_rows)
        extra = torch.zeros(*x.shape[:-1], output.shape[-1], device=output.device)
        for change, where in here.on(x.device):
            extra[where] += change.effect(x[where].float())
        return output + extra.to(output.dtype).view_as(output)

    return add


class _Here:
    """Groups as a module's device needs them, sent there once and not at every call of a hook."""

    def __init__(self, groups: Sequence[tuple[Change, Rows | slice]]) -> None:
        self._groups = groups
        self._sent: dict[torch.device, list[tuple[Change, Tensor | slice]]] = {}

    def on(self, device: torch.device) -> list[tuple[Change, Tensor | slice]]:
        """Every change, and its rows, on `device`."""
        if device not in self._sent:
            rows = iter(_split_up([w for _, w in self._groups if isinstance(w, list)], device))
            self._sent[device] = [
                (_on(change, device), next(rows) if isinstance(where, list) else where)
                for change, where in self._groups
            ]
        return self._sent[device]


def _split_up(rows: Sequence[Rows], device: torch.device) -> Sequence[Int[Tensor, " rows"]]:
    """Every list as a tensor on `device`, all of them sent at once."""
    flat = uploaded([i for some in rows for i in some], device, dtype=torch.long)
    return flat.split([len(some) for some in rows]) if rows else ()


def _on(change: Change, device: torch.device) -> Change:
    there = all(tensor.device == device for tensor in change.tensors().values())
    return change if there else change.to(device)


def _run_again(module: nn.Module, rows: Sequence[Own]) -> Hook:
    """Puts in place of some rows' output what the module makes of them with changed parameters."""
    alike = _alike(rows)
    stand_ins = [_with(module, rows[where[0]]) for where in alike]

    def replace(
        module: nn.Module, inputs: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> Tensor:
        states, *others = inputs
        x, changed = by_rows(states, len(rows)), by_rows(first_of(output), len(rows)).clone()
        for stand_in, where in zip(stand_ins, _split_up(alike, x.device), strict=True):
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


def _groups(rows: Sequence[Own]) -> list[tuple[Change, Rows]]:
    """Rows that share one change object share one product."""
    where: dict[tuple[str, int], tuple[Change, Rows]] = {}
    for i, own in enumerate(rows):
        for name, change in own.items():
            where.setdefault((name, id(change)), (change, []))[1].append(i)
    return list(where.values())


def _alike(rows: Sequence[Own]) -> list[Rows]:
    """Rows whose changes are the same objects, those without any left out."""
    where: dict[tuple[tuple[str, int], ...], Rows] = {}
    for i, own in enumerate(rows):
        if own:
            key = tuple((name, id(change)) for name, change in sorted(own.items()))
            where.setdefault(key, []).append(i)
    return list(where.values())

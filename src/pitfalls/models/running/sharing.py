"""Shared computation of equal rows in the lower blocks.

Edited models agree below the lowest edited block, so a text that several of them read has the same
states there and is run once.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from jaxtyping import Int
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Changes


def lowest_block(model: LanguageModel, changes: Iterable[Changes]) -> int:
    """Lowest block that any of `changes` modifies; the number of blocks if none does."""
    prefix = f"{model.architecture.blocks}."
    layers = [model.n_layers]
    for name in {name for some in changes for name in some}:
        inside = name.startswith(prefix)
        layers.append(int(name.removeprefix(prefix).partition(".")[0]) if inside else 0)
    return min(layers)


@contextmanager
def shared_below(model: LanguageModel, layer: int, texts: Sequence[object]) -> Iterator[list[int]]:
    """Inside the block, blocks below `layer` run on one row of each text; yields these rows.

    The keys and values that these blocks write into a cache have as many rows.

    Args:
        model: the model; nothing may change in it below `layer`.
        layer: the first block that runs on all rows.
        texts: key of each row of the batches run inside; rows with equal keys must have equal
            tokens at equal positions.
    """
    number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    row_of = [number[text] for text in texts]
    first = [row_of.index(i) for i in number.values()]
    if len(first) == len(texts) or layer == 0:
        yield list(range(len(texts)))
        return
    rows, back = uploaded(first, model.device), uploaded(row_of, model.device)

    def contract(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        by_head = {name: kwargs.pop(name) for name in model.architecture.per_head}
        args, kwargs = _select((args, kwargs), rows, n_rows=len(texts))
        for name, given in by_head.items():
            by_row = given.unflatten(0, (len(texts), -1))
            kwargs[name] = by_row[rows.to(given.device)].flatten(0, 1)
        return args, kwargs

    def expand(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return (args[0][back.to(args[0].device)], *args[1:]), kwargs

    last = model.network.get_submodule(model.architecture.final_norm)
    with ExitStack() as stack:
        for block in model.blocks[:layer]:
            stack.callback(block.register_forward_pre_hook(contract, with_kwargs=True).remove)
        above = [*model.blocks, last][layer]
        stack.callback(above.register_forward_pre_hook(expand, with_kwargs=True).remove)
        yield first


def _select(given: Any, rows: Int[Tensor, " distinct"], *, n_rows: int) -> Any:
    """Select rows in every tensor of `given` whose first axis is the batch.

    Such a tensor has a second axis, of tokens or heads; tensors with one axis are not per row.
    """
    if isinstance(given, Tensor):
        by_row = given.ndim > 1 and len(given) == n_rows
        return given[rows.to(given.device)] if by_row else given
    if isinstance(given, dict):
        return {name: _select(value, rows, n_rows=n_rows) for name, value in given.items()}
    if isinstance(given, tuple):
        return tuple(_select(value, rows, n_rows=n_rows) for value in given)
    return given

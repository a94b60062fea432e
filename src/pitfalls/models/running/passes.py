"""Repeated forward passes over the right parts of texts: a plain version and a fast one.

Editors need the logits of the right parts of a batch many times while one layer changes.
`WholeText` runs the whole model on the whole text each time and forms the logits of every token.
`TailReplay` computes the hidden states up to that layer, and the keys and values of the left parts,
once; each further call runs only the remaining blocks on the right parts and forms the requested
logits. The two agree; tests and benchmarks compare them.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import first_of
from pitfalls.models.tokens import SplitBatch
from pitfalls.models.weights.products import packed


@runtime_checkable
class TextPass(Protocol):
    """A batch of texts whose right parts can be run repeatedly."""

    @property
    def offset(self) -> int:
        """Column at which the right parts start, in the modules' inputs while `hidden` runs."""
        ...

    def hidden(self, *, since: int | None = None) -> Float[Tensor, "rows columns d"]:
        """Hidden states after the final norm, differentiable; right parts start at `offset`.

        Args:
            since: first block to run, if nothing below it has changed. The number of blocks stands
                for the final norm.
        """
        ...


def text_pass(model: LanguageModel, batch: SplitBatch, *, layer: int) -> TextPass:
    """Text pass of `model` for repeated runs while `layer` changes."""
    return (WholeText if model.plain else TailReplay)(model, batch, layer=layer)


def logits_at(
    model: LanguageModel,
    hidden: Float[Tensor, "rows columns d"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
) -> Float[Tensor, "n vocabulary"]:
    """Logits in float32 at single tokens of a batch, from hidden states after the final norm."""
    if model.plain:
        return model.head_logits(hidden)[rows, columns]
    return model.head_logits(hidden[rows, columns])


class WholeText:
    """Text pass that runs every block on every token: the reference."""

    def __init__(self, model: LanguageModel, batch: SplitBatch, *, layer: int) -> None:
        """Take the same arguments as `TailReplay`; `layer` is ignored."""
        del layer
        self._model, self._batch = model, batch
        self.offset = batch.left.shape[1]

    def hidden(self, *, since: int | None = None) -> Float[Tensor, "rows columns d"]:
        """Hidden states of the whole texts after the final norm; `since` is ignored."""
        del since
        batch = self._batch
        ids = torch.cat([batch.left, batch.right], dim=1)
        return self._model.run(ids, batch.mask, batch.positions)


class TailReplay:
    """Text pass that runs only the blocks from `layer` up, on the right parts.

    Valid as long as nothing changes below `layer` or in the left parts. Row patches must be the
    same at creation and in every run.
    """

    offset = 0

    def __init__(self, model: LanguageModel, batch: SplitBatch, *, layer: int) -> None:
        """Run the left parts, and the right parts up to `layer`."""
        self._model, self._layer = model, layer
        self._cache = run_left(model, batch)[1] if batch.left.shape[1] else None
        cached = cached_layers(self._cache) if self._cache else []
        self._kept = cached[layer:]
        self._final_norm = model.network.get_submodule(model.architecture.final_norm)
        self._prefix = [(kept.keys, kept.values) for kept in self._kept]
        with torch.no_grad(), _calls([*model.blocks[layer:], self._final_norm]) as calls:
            right_output(model, batch, self._cache)
        self._calls = calls
        for below in cached[:layer]:  # these blocks do not run again
            below.keys = below.values = None

    def hidden(self, *, since: int | None = None) -> Float[Tensor, "rows right d"]:
        """Hidden states of the right parts after the final norm; `since` ≥ `layer`."""
        self._rewind()
        begin = self._layer if since is None else since
        calls = self._calls[begin - self._layer :]
        hidden: Tensor = calls[0][0][0]
        modules = [*self._model.blocks[begin:], self._final_norm]
        for module, (args, kwargs) in zip(modules, calls, strict=True):
            hidden = first_of(module(hidden, *args[1:], **kwargs))
        return hidden.to(self._model.device)

    def _rewind(self) -> None:
        """Remove the right parts' keys and values from the cache."""
        for layer, (keys, values) in zip(self._kept, self._prefix, strict=True):
            layer.keys, layer.values = keys, values


def many_passes(model: LanguageModel, *, layer: int) -> AbstractContextManager[None]:
    """Inside the block, keep weights from block `layer` up in a form fast for repeated use."""
    return packed([*model.blocks[layer:], model.network.get_output_embeddings()])


def run_left(
    model: LanguageModel, batch: SplitBatch
) -> tuple[Float[Tensor, "rows left d"], DynamicCache]:
    """Hidden states of the left parts after the final norm, and their keys and values."""
    n_left = batch.left.shape[1]
    cache = empty_cache(model)
    with torch.no_grad():
        mask, positions = batch.mask[:, :n_left], batch.positions[:, :n_left]
        return model.run(batch.left, mask, positions, cache), cache


def empty_cache(model: LanguageModel) -> DynamicCache:
    """Cache for keys and values of all tokens, including those outside a sliding window.

    Raises:
        PitfallsError: a block caches something else, such as the state of linear attention.
    """
    for layer in DynamicCache(config=model.network.config).layers:
        if not isinstance(layer, DynamicLayer):
            raise PitfallsError(
                f"a block of {model.name} keeps a {type(layer).__name__}, expected keys and "
                "values: models without plain attention are not supported"
            )
    return DynamicCache()


def cached_layers(cache: DynamicCache) -> list[DynamicLayer]:
    """Keys and values of every block in a cache that has been written to."""
    return [layer for layer in cache.layers if isinstance(layer, DynamicLayer)]


def right_output(
    model: LanguageModel, batch: SplitBatch, cache: DynamicCache | None
) -> Float[Tensor, "rows right d"]:
    """Hidden states of the right parts after the final norm; `cache` grows by them."""
    n_left = batch.left.shape[1]
    return model.run(batch.right, batch.mask, batch.positions[:, n_left:], cache)


Call = tuple[tuple[Any, ...], dict[str, Any]]


@contextmanager
def _calls(modules: Sequence[nn.Module]) -> Iterator[list[Call]]:
    """Positional and keyword arguments of every call of `modules` inside the block."""
    calls: list[Call] = []

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append((args, kwargs))

    with ExitStack() as stack:
        for each in modules:
            stack.callback(each.register_forward_pre_hook(note, with_kwargs=True).remove)
        yield calls

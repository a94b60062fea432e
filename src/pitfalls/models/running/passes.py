"""Forward passes over the tails of texts: the plain one, and the one that does only what it must.

Editors ask for the logits of the right parts of a batch again and again while something at one
layer moves. `WholeText` runs the whole model on the whole text each time and forms the logits of
every token. `TailReplay` computes hidden states up to that layer, and keys and values left of the
cut, once; each further call runs only the remaining blocks on the right parts and forms the logits
that are asked for. The two agree; tests and benchmarks compare them.
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
    """A batch of texts whose right parts can be run as often as needed."""

    @property
    def offset(self) -> int:
        """The column in which the right parts begin, as modules see them while `hidden` runs."""
        ...

    def hidden(self, *, since: int | None = None) -> Float[Tensor, "rows columns d"]:
        """Hidden states after the final norm, the right parts from `offset` on. Differentiable.

        Args:
            since: where nothing moves below this block, it is the first one that has to run. The
                number of blocks stands for the final norm.
        """
        ...


def text_pass(model: LanguageModel, batch: SplitBatch, *, layer: int) -> TextPass:
    """How `model` runs texts of which something at `layer` moves."""
    return (WholeText if model.plain else TailReplay)(model, batch, layer=layer)


def logits_at(
    model: LanguageModel,
    hidden: Float[Tensor, "rows columns d"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
) -> Float[Tensor, "n vocabulary"]:
    """Logits in float32 of single tokens of a batch, from hidden states after the final norm."""
    if model.plain:
        return model.head_logits(hidden)[rows, columns]
    return model.head_logits(hidden[rows, columns])


class WholeText:
    """Every block on every token, every time: the oracle."""

    def __init__(self, model: LanguageModel, batch: SplitBatch, *, layer: int) -> None:
        """Take the same arguments as `TailReplay`; `layer` plays no part here."""
        del layer
        self._model, self._batch = model, batch
        self.offset = batch.left.shape[1]

    def hidden(self, *, since: int | None = None) -> Float[Tensor, "rows columns d"]:
        """Hidden states of the whole texts after the final norm, whatever moved."""
        del since
        batch = self._batch
        ids = torch.cat([batch.left, batch.right], dim=1)
        return self._model.run(ids, batch.mask, batch.positions)


class TailReplay:
    """Blocks `layer` and above on the right parts only.

    Valid as long as nothing changes below `layer` or left of the cut. Row patches must be the same
    when it is made and when it runs.
    """

    offset = 0

    def __init__(self, model: LanguageModel, batch: SplitBatch, *, layer: int) -> None:
        """Run the left parts once and the right parts up to `layer` once."""
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
        """Hidden states of the right parts after the final norm; `since` lies above `layer`."""
        self._rewind()
        begin = self._layer if since is None else since
        calls = self._calls[begin - self._layer :]
        hidden: Tensor = calls[0][0][0]
        modules = [*self._model.blocks[begin:], self._final_norm]
        for module, (args, kwargs) in zip(modules, calls, strict=True):
            hidden = first_of(module(hidden, *args[1:], **kwargs))
        return hidden.to(self._model.device)

    def _rewind(self) -> None:
        """Take the right parts' keys and values out of the cache again."""
        for layer, (keys, values) in zip(self._kept, self._prefix, strict=True):
            layer.keys, layer.values = keys, values


def many_passes(model: LanguageModel, *, layer: int) -> AbstractContextManager[None]:
    """Inside the block, weights of blocks from `layer` on lie ready to be used again and again."""
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
    """Where blocks keep keys and values of all tokens, those left of a sliding window included.

    Raises:
        PitfallsError: a block keeps something else, such as the state of linear attention.
    """
    for layer in DynamicCache(config=model.network.config).layers:
        if not isinstance(layer, DynamicLayer):
            raise PitfallsError(
                f"a block of {model.name} keeps a {type(layer).__name__}, expected keys and "
                "values: models without plain attention are not supported"
            )
    return DynamicCache()


def cached_layers(cache: DynamicCache) -> list[DynamicLayer]:
    """The keys and values of every block, in a cache that has been written to."""
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
    """Positional and keyword arguments that each of `modules` is called with inside the block."""
    calls: list[Call] = []

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append((args, kwargs))

    with ExitStack() as stack:
        for each in modules:
            stack.callback(each.register_forward_pre_hook(note, with_kwargs=True).remove)
        yield calls

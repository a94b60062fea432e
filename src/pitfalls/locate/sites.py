"""What can be restored: a block's state, its MLP's output, its attention's output."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import with_column

PUBLISHED = (10, 48)
"""The window of the ROME paper, and the number of layers of GPT2-XL, which it was chosen for."""


@dataclass(frozen=True, slots=True)
class Site:
    """One of the three panels of the picture."""

    name: str
    title: str
    windowed: bool
    """Whether neighbouring layers are restored together; one state alone screens off the rest."""
    module: Callable[[LanguageModel, int], nn.Module | None]
    """Whose output it is at a layer, or None where the family's blocks have no such part."""


def _attention(model: LanguageModel, layer: int) -> nn.Module | None:
    path = model.architecture.attention
    return None if path is None else model.blocks[layer].get_submodule(path)


MLP = Site("mlp", "MLP output", True, lambda model, layer: model.mlp_out(layer))
SITES = (
    Site("state", "hidden state", False, lambda model, layer: model.blocks[layer]),
    MLP,
    Site("attention", "attention output", True, _attention),
)
"""In the order of the paper's figure."""


def modules_of(model: LanguageModel, site: Site) -> list[nn.Module]:
    """The site's module at every layer; empty where the model has none of it."""
    found = [site.module(model, layer) for layer in range(model.n_layers)]
    return [module for module in found if module is not None]


def scaled_window(n_layers: int) -> int:
    """As large a part of the model as 10 of GPT2-XL's 48 layers, at least one layer."""
    size, of = PUBLISHED
    return max(1, round(size * n_layers / of))


def window_around(layer: int, size: int, n_layers: int) -> range:
    """The `size` layers around `layer`, one more below than above if even, cut off at the ends."""
    begin = layer - size // 2
    return range(max(0, begin), min(n_layers, begin + size))


@contextmanager
def restored(values: Mapping[nn.Module, Float[Tensor, "rows d"]], column: int) -> Iterator[None]:
    """Inside the block, each module gives these values in one column, whatever it computed."""

    def put(module: nn.Module, inputs: Any, output: Any) -> Any:
        clean = values[module]
        return with_column(output, len(clean), column, lambda states: clean)

    with ExitStack() as stack:
        for module in values:
            stack.callback(module.register_forward_hook(put).remove)
        yield

"""Sites that can be restored: the state after a block, its MLP output, its attention output."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import with_column

PUBLISHED = (10, 48)
"""Window of the ROME paper, and the number of layers of its model, GPT2-XL."""


@dataclass(frozen=True, slots=True)
class Site:
    """A kind of module output to restore; one panel of the figure."""

    name: str
    title: str
    windowed: bool
    """Whether a window of layers is restored together; for states a single layer suffices."""
    module: Callable[[LanguageModel, int], nn.Module | None]
    """Function from model and layer to the module; None if the family has no such part."""


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
    """The site's module at every layer; empty if the model has no such part."""
    found = [site.module(model, layer) for layer in range(model.n_layers)]
    return [module for module in found if module is not None]


def scaled_window(n_layers: int) -> int:
    """Window in proportion to 10 of GPT2-XL's 48 layers, at least one layer."""
    size, of = PUBLISHED
    return max(1, round(size * n_layers / of))


def window_around(layer: int, size: int, n_layers: int) -> range:
    """Window of `size` layers around `layer`, clipped to the model; if even, one more below."""
    begin = layer - size // 2
    return range(max(0, begin), min(n_layers, begin + size))


@contextmanager
def restored(values: Mapping[nn.Module, Float[Tensor, "rows d"]], column: int) -> Iterator[None]:
    """Inside the block, replace each module's output in one column by these values."""

    def put(module: nn.Module, inputs: Any, output: Any) -> Any:
        clean = values[module]
        return with_column(output, len(clean), column, lambda states: clean)

    with ExitStack() as stack:
        for module in values:
            stack.callback(module.register_forward_hook(put).remove)
        yield

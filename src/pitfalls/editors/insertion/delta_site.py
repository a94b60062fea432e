"""Where the vector δ of a search is added, and which blocks have to run for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import first_of, with_column
from pitfalls.models.running.passes import TextPass
from pitfalls.models.running.trace import outputs
from pitfalls.models.tokens import Split

Site: TypeAlias = Literal["mlp", "block"]
"""Where δ is added: to the MLP's output (ROME) or to the block's (MEMIT)."""

CLOSE = 0.02
"""How far a block's output may be from what was added to it, relatively: bfloat16 rounds so."""


class DeltaSite:
    """The place of δ in some texts, in the column where their right parts begin.

    What is added to a block's output, or to that of an MLP whose output goes straight to the
    block's, is added in front of the next block: the block itself need not run again. Models that
    are plain add it where the published code does.
    """

    def __init__(self, model: LanguageModel, layer: int, site: Site) -> None:
        """`layer` is the block of the `site`."""
        self._module = model.mlp_out(layer) if site == "mlp" else model.blocks[layer]
        final_norm = model.network.get_submodule(model.architecture.final_norm)
        self._next, self._above = layer + 1, [*model.blocks, final_norm][layer + 1]
        self._straight = not model.plain and (site == "block" or mlp_adds_straight(model, layer))
        self.initial: Float[Tensor, "rows d"] | None = None
        """Output of the site without δ; known once the texts were run."""

    def hidden(
        self, texts: TextPass, delta: Float[Tensor, "rows d"]
    ) -> Float[Tensor, "rows columns d"]:
        """Hidden states after the final norm with each row's δ, differentiable in it."""
        if self._straight and self.initial is not None:
            with _added_before(self._above, delta, texts.offset):
                return texts.hidden(since=self._next)
        with _added_behind(self._module, delta, texts.offset) as before:
            hidden = texts.hidden()
        self.initial = before[0]
        return hidden


def mlp_adds_straight(model: LanguageModel, layer: int) -> bool:
    """Whether what is added to a MLP's output comes out of its block as it is.

    It does not where a norm lies in between. Tried out once for each model and layer.
    """
    return model.remember(("MLP adds straight", layer), lambda: _try_adding(model, layer))


def _try_adding(model: LanguageModel, layer: int) -> bool:
    batch = model.batch([Split((), (0, 1, 2))])
    block = {"block": model.blocks[layer]}
    before = outputs(model, batch, block)["block"][:, 0]
    waves = torch.linspace(0, 9, model.width, device=model.device).cos()
    length = before.float().norm().clamp(min=1)  # of a padding token it may be 0
    added = (length * waves / waves.norm())[None]
    with _added_behind(model.mlp_out(layer), added, 0):
        after = outputs(model, batch, block)["block"][:, 0]
    apart = after.float() - before.float() - added
    return bool(apart.norm() < CLOSE * added.norm())


@contextmanager
def _added_behind(
    module: nn.Module, delta: Float[Tensor, "rows d"], column: int
) -> Iterator[list[Float[Tensor, "rows d"]]]:
    """Inside the block `module` gives `delta` more in one column; yields what it gave without."""
    before: list[Tensor] = []

    def more(states: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
        before.append(states.detach().float().to(delta.device))
        return states + delta.to(states)

    def add(module: nn.Module, args: Any, output: Any) -> Any:
        return with_column(output, len(delta), column, more)

    handle = module.register_forward_hook(add)
    try:
        yield before
    finally:
        handle.remove()


@contextmanager
def _added_before(module: nn.Module, delta: Float[Tensor, "rows d"], column: int) -> Iterator[None]:
    """Inside the block `module` gets `delta` more in one column of its first argument."""

    def add(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = with_column(args[0], len(delta), column, lambda states: states + delta.to(states))
        return (first_of(changed), *args[1:])

    handle = module.register_forward_pre_hook(add)
    try:
        yield
    finally:
        handle.remove()

"""Reading what goes into modules, without running more of the model than needed."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.passes import right_output
from pitfalls.models.tokens import SplitBatch


class _Enough(Exception):
    """Raised inside a forward pass once everything asked for has been seen."""


@torch.no_grad()
def mlp_out_traffic(
    model: LanguageModel, batch: SplitBatch, layers: Sequence[int]
) -> dict[int, tuple[Float[Tensor, "rows right d_in"], Float[Tensor, "rows right d_out"]]]:
    """Input (the keys) and output (the values) of the second MLP matrix of each of `layers`.

    Args:
        model: the model; blocks above the highest of `layers` are not run.
        batch: texts without left parts.
        layers: block indices.
    """
    seen: dict[int, tuple[Tensor, Tensor]] = {}
    hooks = []
    for layer in layers:

        def note(
            module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, layer: int = layer
        ) -> None:
            seen[layer] = (inputs[0], output)
            if len(seen) == len(layers):
                raise _Enough

        hooks.append(model.mlp_out(layer).register_forward_hook(note))
    try:
        right_output(model, batch, None)
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return seen

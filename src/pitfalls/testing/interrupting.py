"""Fits that break off in the middle, to see what they leave behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel


class Interruption(Exception):
    """Breaks off a fit."""


@contextmanager
def counted(model: LanguageModel, *, last: int | None = None) -> Iterator[list[str]]:
    """Inside the block, note every call of a second MLP matrix; raise at the `last`-th.

    Raises:
        Interruption: the call is reached.
    """
    calls: list[str] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        del inputs
        calls.append(type(module).__name__)
        if len(calls) == last:
            raise Interruption

    with ExitStack() as stack:
        for layer in range(model.n_layers):
            stack.callback(model.mlp_out(layer).register_forward_pre_hook(note).remove)
        yield calls

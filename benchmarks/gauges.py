"""Gauges beside time: arithmetic, tokens, padding, the machine's peak speed, memory."""

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from pitfalls.models.cost import product_rate
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split, SplitBatch

GIB = 1 << 30


@dataclass(frozen=True, eq=False)
class Gauged(LanguageModel):
    """A model that notes the batches it makes."""

    made: list[tuple[Sequence[Split], SplitBatch]] = field(default_factory=list)

    @classmethod
    def of(cls, model: LanguageModel) -> "Gauged":
        """A stand-in for `model`, sharing all it has."""
        watched = cls(**{one.name: getattr(model, one.name) for one in fields(LanguageModel)})
        watched.__dict__["fingerprint"] = model.fingerprint  # computed once in a model's life
        return watched

    def batch(self, splits: Sequence[Split], *, n_left: int = 0) -> SplitBatch:
        """As in any model."""
        made = super().batch(splits, n_left=n_left)
        self.made.append((splits, made))
        return made

    def padding(self) -> float:
        """Share of padding in what most work goes into."""
        parts = [_main_part(splits, batch) for splits, batch in self.made]
        padded, real = sum(part.numel() for part in parts), sum(int(part.sum()) for part in parts)
        return 1 - real / padded if padded else 0.0


@contextmanager
def tokens_through(model: LanguageModel) -> Iterator[list[int]]:
    """Positions, padded ones included, that go through the last block inside the block."""
    seen: list[int] = []

    def count(block: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen.append(args[0].shape[0] * args[0].shape[1])

    hook = model.blocks[-1].register_forward_pre_hook(count)
    try:
        yield seen
    finally:
        hook.remove()


def flops_of(work: Callable[[LanguageModel], object], model: LanguageModel) -> int:
    """Operations of `work`; counting makes it slow."""
    with _Counter() as counter:
        work(model)
    return counter.flops


def _main_part(splits: Sequence[Split], batch: SplitBatch) -> Tensor:
    """The mask of what a search runs again and again, or else of the prompts that are read.

    Prompts are left parts; their right parts hold a token that is never run.
    """
    n_left = batch.left.shape[1]
    prompts = n_left > 0 and all(split.right == (0,) for split in splits)
    return batch.mask[:, :n_left] if prompts else batch.mask[:, n_left:]


class _Counter(TorchDispatchMode):
    """Adds up operations by torch's own formulas, which know nothing of one product of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0
        self.formulas = dict(flop_registry)
        if torch.backends.mkldnn.is_available():
            self.formulas[torch.ops.mkldnn._linear_pointwise] = _linear_flops

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if formula := self.formulas.get(func._overloadpacket):
            self.flops += formula(*args, **(kwargs or {}), out_val=result)
        return result


def _linear_flops(x: Tensor, weight: Tensor, *rest: Any, out_val: Any) -> int:
    return 2 * x.numel() * weight.shape[0]


def peak_rate(model: LanguageModel) -> float:
    """Operations a second in the product that the model's MLPs make."""
    d_out, d_in = model.weight(f"{model.mlp_out_name(0)}.weight").shape
    return product_rate(d_out, d_in, model.dtype, model.device)


def peak_memory() -> float:
    """The most memory that this process has held so far, in GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB

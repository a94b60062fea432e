"""Models and updates held against each other: bit for bit, or by how far they are apart."""

from jaxtyping import Float
from torch import Tensor, equal, uint8

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change
from pitfalls.updates.update import Update


def snapshot(model: LanguageModel) -> dict[str, Tensor]:
    """A copy of every weight of `model`, by its name."""
    return {name: weight.detach().clone() for name, weight in model.network.named_parameters()}


def unchanged(model: LanguageModel, before: dict[str, Tensor]) -> bool:
    """Whether every weight in `before` still has the same bits in `model`."""
    weights = dict(model.network.named_parameters())
    return all(_same_bits(weights[name], weight) for name, weight in before.items())


def distance(first: Update, second: Update) -> float:
    """The largest relative Frobenius distance between what two updates change or carry.

    Infinite where they do not name the same weights and carried tensors, or differ in context.
    """
    same = (first.changes.keys(), first.carried.keys(), first.context)
    if same != (second.changes.keys(), second.carried.keys(), second.context):
        return float("inf")
    changes = [_gap(change, second.changes[name]) for name, change in first.changes.items()]
    carried = [
        _relative(each.tensor, second.carried[name].tensor) for name, each in first.carried.items()
    ]
    return max([*changes, *carried], default=0.0)


def _gap(first: Change, second: Change) -> float:
    """Between their matrices, or between their parts where there are none."""
    if first.matrix is not None and second.matrix is not None:
        return _relative(first.matrix, second.matrix)
    ours, theirs = first.tensors(), second.tensors()
    return max(_relative(each, theirs[part]) for part, each in ours.items())


def _relative(a: Float[Tensor, "..."], b: Float[Tensor, "..."]) -> float:
    if a.shape != b.shape:
        return float("inf")
    return ((a - b).norm() / b.norm()).item() if a.ne(b).any() else 0.0


def _same_bits(a: Tensor, b: Tensor) -> bool:
    return equal(a.detach().view(uint8), b.detach().view(uint8))

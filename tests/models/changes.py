"""Random changes of tiny models' weights."""

import torch

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change, Dense, LowRank
from pitfalls.updates.update import Update


def random_change(model: LanguageModel, layer: int, *, rank: int | None, seed: int) -> Update:
    """Random change of one value matrix, of the given rank or dense, and of any bias."""
    random = torch.Generator().manual_seed(seed)
    name = model.mlp_out_name(layer)
    d_out, d_in = model.weight(f"{name}.weight").shape
    changes: dict[str, Change] = {}
    if rank is None:
        changes[f"{name}.weight"] = Dense(0.2 * torch.randn(d_out, d_in, generator=random))
        if getattr(model.mlp_out(layer), "bias", None) is not None:
            changes[f"{name}.bias"] = Dense(torch.randn(d_out, generator=random))
    else:
        b = torch.randn(d_out, rank, generator=random)
        changes[f"{name}.weight"] = LowRank(b, 0.2 * torch.randn(rank, d_in, generator=random))
    return Update(changes)


def some_updates(model: LanguageModel) -> list[Update]:
    """Updates that may share a batch: none, low-rank, dense, and of two layers."""
    low, dense = random_change(model, 1, rank=2, seed=1), random_change(model, 2, rank=None, seed=2)
    return [Update(), low, dense, low + dense, dense + random_change(model, 2, rank=1, seed=3)]

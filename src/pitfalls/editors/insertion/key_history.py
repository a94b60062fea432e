"""Editors of MEMIT's kind that hold on to the keys of the edits before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.insertion.spreading import Batch, SpreadingEditor
from pitfalls.updates.carried import Columns
from pitfalls.updates.update import Update


@dataclass(frozen=True, kw_only=True)
class RememberingEditor(SpreadingEditor):
    """Each update carries its keys, read once all layers are written: K_p of the edits after it.

    They are kept as keys, not as their sum K_p K_pᵀ: smaller until there are d_in of them, and the
    keys of a single edit can be taken out again.
    """

    def earlier(self, base: Update, layer: int, K: Float[Tensor, "d_in n"]) -> Tensor:
        """K_p [d_in, N], the keys of all edits that `base` holds; K tells the shape of none."""
        found = base.carried.get(_name(layer))
        return K[:, :0] if found is None else found.tensor.to(K)

    def finish(self, batch: Batch, updates: Sequence[Update]) -> list[Update]:
        """The updates with the keys of their edits, as the edited model has them."""
        on = [job.base + update for job, update in zip(batch.jobs, updates, strict=True)]
        keys = {layer: self.keys(batch, on, layer)[0] for layer in self.layers}
        return [
            replace(update, carried=_columns(keys, batch.rows(i))) if job.edits else update
            for i, (job, update) in enumerate(zip(batch.jobs, updates, strict=True))
        ]


def _name(layer: int) -> str:
    return f"keys of layer {layer}"


def _columns(
    keys: dict[int, Float[Tensor, "n d_in"]], rows: Sequence[int]
) -> MappingProxyType[str, Columns]:
    chosen = torch.tensor(rows, dtype=torch.long)
    return MappingProxyType(
        {_name(layer): Columns(k[chosen.to(k.device)].mT.contiguous()) for layer, k in keys.items()}
    )

"""Clean runs: outputs of every site without corruption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import logprobs_of
from pitfalls.models.running.trace import outputs
from pitfalls.models.tokens import Split

Modules: TypeAlias = Mapping[str, Sequence[nn.Module]]
"""Name of a site → its module at every layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Clean:
    """One fact's clean run."""

    p: float
    """Probability of the object's first token."""
    values: Mapping[str, Float[Tensor, "layers tokens d"]]
    """Site → its outputs."""


@torch.no_grad()
def clean_runs(model: LanguageModel, recalls: Sequence[Recall], sites: Modules) -> list[Clean]:
    """Run the uncorrupted prompts in one batch."""
    norm = model.network.get_submodule(model.architecture.final_norm)
    watched: dict[tuple[str, int], nn.Module] = {
        (site, layer): module
        for site, modules in sites.items()
        for layer, module in enumerate(modules)
    }
    batch = model.batch([Split((), each.ids) for each in recalls])
    seen = outputs(model, batch, {**watched, ("norm", 0): norm})
    p = probabilities(model, seen["norm", 0], batch.lengths - 1, recalls)
    return [
        Clean(
            float(p[i]),
            {
                site: torch.stack([seen[site, layer][i] for layer in range(len(modules))])
                for site, modules in sites.items()
            },
        )
        for i in range(len(recalls))
    ]


def probabilities(
    model: LanguageModel,
    hidden: Float[Tensor, "rows columns d"],
    columns: Tensor,
    recalls: Sequence[Recall],
) -> Float[Tensor, " rows"]:
    """Probability of the first object token of each row, from states after the final norm."""
    every = torch.arange(len(hidden), device=hidden.device)
    ids = torch.tensor([each.object_ids[0] for each in recalls])
    return logprobs_of(model, hidden[every, columns], ids, torch.arange(len(hidden))).exp()

"""Settings and results of causal tracing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pitfalls.locate.recall import Recall
from pitfalls.settings import Count, Positive, Seed, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(Settings):
    """Settings of causal tracing. The defaults are those of the paper's code."""

    samples: Count = 10
    """Noise samples per subject; probabilities are averaged over them."""
    noise: Positive = 3.0
    """Standard deviation of the noise, in units of σ of the subjects' embeddings (ν = 3σ)."""
    window: Count | None = None
    """MLP or attention layers restored together; None scales the paper's 10 of GPT2-XL's 48 layers
    to the model."""
    seed: Seed = 0
    """Seed of the noise."""
    token_budget: Count = 1024
    """Most padded tokens in one forward pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Corruption:
    """A fact and the noise on its subject."""

    recall: Recall
    noise: Float[Tensor, "samples subject d"]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Trace of one fact: probabilities p of the object's first token, averaged over samples."""

    recall: Recall
    clean: float
    """p without corruption."""
    corrupted: float
    """p with the subject corrupted."""
    restored: Mapping[str, NDArray[np.float64]]
    """Site → [layer, token of `recall.tail`]: p with the subject corrupted and this restored."""

    @property
    def total_effect(self) -> float:
        """Total effect (TE): the loss of probability by corruption."""
        return self.clean - self.corrupted

    def indirect_effect(self, site: str) -> NDArray[np.float64]:
        """Indirect effect (IE) of each restoration, [layer, token of the tail]."""
        return self.restored[site] - self.corrupted

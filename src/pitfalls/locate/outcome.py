"""What a tracing is told and what it finds."""

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
    """How facts are traced. The defaults are those of the paper's code."""

    samples: Count = 10
    """How often each subject is corrupted; probabilities are means over it."""
    noise: Positive = 3.0
    """The noise's standard deviation in those of the subjects' embeddings (ν = 3σ)."""
    window: Count | None = None
    """MLPs or attentions that are restored together; None takes as large a part of the model as the
    paper's 10 are of GPT2-XL's 48 layers."""
    seed: Seed = 0
    """Of the noise."""
    token_budget: Count = 1024
    """The most padded tokens that one forward pass replays."""


@dataclass(frozen=True, slots=True, eq=False)
class Corruption:
    """A fact and what its subject is corrupted with."""

    recall: Recall
    noise: Float[Tensor, "samples subject d"]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What came of one fact. Probabilities are of the object's first token, means over samples."""

    recall: Recall
    clean: float
    """p of the model as it is."""
    corrupted: float
    """p with the subject corrupted."""
    restored: Mapping[str, NDArray[np.float64]]
    """Name of a site → [layer, token of `recall.tail`]: p with that restored besides."""

    @property
    def total_effect(self) -> float:
        """TE, what the corruption takes."""
        return self.clean - self.corrupted

    def indirect_effect(self, site: str) -> NDArray[np.float64]:
        """IE, what each restoration gives back: [layer, token of the tail]."""
        return self.restored[site] - self.corrupted

"""What a tracing is told and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pitfalls.errors import PitfallsError
from pitfalls.locate.recall import Recall


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """How facts are traced. The defaults are those of the paper's code."""

    samples: int = 10
    """How often each subject is corrupted; probabilities are means over it."""
    noise: float = 3.0
    """The noise's standard deviation in those of the subjects' embeddings (ν = 3σ)."""
    window: int | None = None
    """MLPs or attentions that are restored together; None takes as large a part of the model as the
    paper's 10 are of GPT2-XL's 48 layers."""
    seed: int = 0
    """Of the noise."""
    token_budget: int = 1024
    """The most padded tokens that one forward pass replays."""

    def __post_init__(self) -> None:
        for name, value in (("samples", self.samples), ("window", self.window)):
            if value is not None and value < 1:
                raise PitfallsError(f"tracing: {name} is {value}, expected at least 1")
        if not self.noise > 0:
            raise PitfallsError(f"tracing: noise is {self.noise}, expected more than 0")


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

"""ROME: one fact, one layer, one rank-one change (Meng et al. 2022)."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.rank_one import Associations, RankOneEditor, SeenKeys


@final
@dataclass(frozen=True, kw_only=True)
class Rome(RankOneEditor):
    """Rank-one model editing: finds v* for the subject's key k* and writes it into one matrix.

    Choose it for single facts. The bare prompt's key is the one whose value becomes v* exactly,
    while the direction of the change follows the mean key. The authors' code has it so.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Meng et al. 2022, arXiv:2202.05262"
    )
    title: ClassVar[str] = "ROME"

    def key(self, seen: SeenKeys) -> Associations:
        """The bare prompt's."""
        return seen.bare

    def direction_key(self, seen: SeenKeys) -> Float[Tensor, "n d_in"]:
        """The mean over the contexts (§3.1, step 1)."""
        return seen.mean.keys

"""r-ROME: ROME with one key throughout (Gupta et al. 2024, arXiv:2403.07175)."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.rank_one import Associations, RankOneEditor, SeenKeys


@final
@dataclass(frozen=True, kw_only=True)
class RRome(RankOneEditor):
    """ROME whose key and direction come from the same k*, so that no single edit explodes.

    Choose it over ROME for long sequences of edits. As in the released code, v* stands on the bare
    prompt's value also where W k* is the mean over the contexts.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Gupta et al. 2024, arXiv:2403.07175"
    )
    title: ClassVar[str] = "r-ROME"

    average: Literal["contexts", "none"] = "contexts"
    """Average for k*: over the contexts (r-ROME) or none, the bare prompt's key (p-ROME)."""

    def key(self, seen: SeenKeys) -> Associations:
        """k* and W k*."""
        return seen.mean if self.average == "contexts" else seen.bare

    def direction_key(self, seen: SeenKeys) -> Float[Tensor, "n d_in"]:
        """The same k*."""
        return self.key(seen).keys

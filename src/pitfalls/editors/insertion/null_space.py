"""Null space of the text's keys: directions in which an edit disturbs nothing (AlphaEdit §3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.insertion.moment_factors import MomentFactor, moment_factors
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings


@dataclass(frozen=True, slots=True, eq=False)
class NullSpace:
    """P = U Uᵀ in float64, over the eigenvectors of C whose eigenvalue is below a threshold."""

    basis: Float[Tensor, "d_in k"]
    """U, or the other eigenvectors where they are fewer."""
    inside: bool
    """Whether `basis` is U."""

    def project(self, K: Float[Tensor, "d_in n"]) -> Float[Tensor, "d_in n"]:
        """P K."""
        K = K.double()
        along = self.basis @ (self.basis.mT @ K)
        return along if self.inside else K - along


def null_spaces(
    model: LanguageModel, layers: Sequence[int], settings: MomentSettings, threshold: float
) -> dict[int, NullSpace]:
    """P of every layer; C is decomposed once for each model, layer and threshold.

    A neuron that the text never woke counts as the mean one, as in `moment_factors`.

    Raises:
        PitfallsError: as `moment_factors`, or a layer has no direction below the threshold.
    """

    def make() -> dict[int, NullSpace]:
        factors = moment_factors(model, layers, settings)
        return {layer: _null_space(layer, C, threshold) for layer, C in factors.items()}

    return model.remember(("null spaces", tuple(layers), settings, threshold), make)


def _null_space(layer: int, C: MomentFactor, threshold: float) -> NullSpace:
    values, vectors = torch.linalg.eigh(C.factor @ C.factor.mT)
    quiet = values < threshold
    if not quiet.any():
        raise PitfallsError(
            f"layer {layer} has no null space below the threshold {threshold:g}: the least "
            f"eigenvalue of its C is {values[0].item():.3g}; raise the threshold"
        )
    inside = bool(2 * quiet.sum() <= len(quiet))
    return NullSpace(vectors[:, quiet if inside else ~quiet].contiguous(), inside)

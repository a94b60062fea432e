"""C⁻¹ applied to keys: the factorisation is made once per layer and model, and then kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate, MomentSettings, SecondMoment, second_moments
from pitfalls.progress import SILENT, Progress


@dataclass(frozen=True, slots=True, eq=False)
class MomentFactor:
    """The Cholesky factor of one layer's C, in float64."""

    factor: Float[Tensor, "d_in d_in"]
    about: Estimate | None = field(default=None, kw_only=True)
    """How C was estimated; None if it was given."""

    def solve(self, k: Float[Tensor, "d_in n"]) -> Float[Tensor, "d_in n"]:
        """The columns C⁻¹k in float64."""
        return torch.cholesky_solve(k.double(), self.factor)


def moment_factors(
    model: LanguageModel,
    layers: Sequence[int],
    settings: MomentSettings,
    *,
    progress: Progress = SILENT,
) -> dict[int, MomentFactor]:
    """The factor of every layer in `layers`; C of those never asked for is estimated in one pass.

    Raises:
        PitfallsError: C is singular because the text is too short, or what `second_moments` raises.
    """

    def make() -> dict[int, MomentFactor]:
        moments = second_moments(model, layers, settings, progress=progress)
        return {layer: _factor(layer, moment, model) for layer, moment in moments.items()}

    return model.remember(("moment factors", tuple(layers), settings), make)


def ridged_factors(
    model: LanguageModel, layers: Sequence[int], settings: MomentSettings, ridge: float
) -> dict[int, MomentFactor]:
    """Factor of C + ridge·I for every layer; of C alone where `ridge` is 0.

    Raises:
        PitfallsError: as `moment_factors`.
    """
    plain = moment_factors(model, layers, settings)
    if not ridge:
        return plain

    def make() -> dict[int, MomentFactor]:
        return {layer: _ridged(factor, ridge) for layer, factor in plain.items()}

    return model.remember(("ridged factors", tuple(layers), settings, ridge), make)


def _ridged(C: MomentFactor, ridge: float) -> MomentFactor:
    matrix = C.factor @ C.factor.mT
    matrix.diagonal().add_(ridge)
    return MomentFactor(torch.linalg.cholesky(matrix), about=C.about)


def estimates(
    model: LanguageModel,
    layers: Sequence[int],
    settings: MomentSettings,
    *,
    progress: Progress = SILENT,
) -> dict[int, Estimate]:
    """How C of every layer in `layers` was estimated; it is estimated now if it was not yet.

    Raises:
        PitfallsError: as `moment_factors`.
    """
    factors = moment_factors(model, layers, settings, progress=progress)
    return {layer: made.about for layer, made in factors.items() if made.about is not None}


def _factor(layer: int, moment: SecondMoment, model: LanguageModel) -> MomentFactor:
    """C's factor. A neuron that the text never woke (OPT's ReLU has such) counts as the mean one.

    Nothing is known of it, and C would have no inverse.
    """
    C = moment.matrix.double().to(model.device)
    asleep = C.diagonal() == 0
    C.diagonal()[asleep] = C.diagonal()[~asleep].mean()
    factor, trouble = torch.linalg.cholesky_ex(C)
    if trouble:
        raise PitfallsError(
            f"C of layer {layer} is singular: {moment.about.tokens} tokens for "
            f"{len(moment.matrix)} dimensions; raise moments.max_tokens or give more text"
        )
    return MomentFactor(factor, about=moment.about)

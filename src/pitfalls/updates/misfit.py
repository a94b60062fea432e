"""Changes held against the model that they shall change."""

from collections.abc import Iterable
from typing import Any

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change
from pitfalls.models.weights.quantised import is_packed


def check_fit(model: LanguageModel, name: str, change: Change) -> None:
    """Refuse `model` if `change` is none of its weight `name`.

    Raises:
        PitfallsError: there is no such weight, or it is of another shape.
    """
    try:
        expected = _shape_in(model, name)
    except AttributeError as error:
        raise PitfallsError(
            f"the update changes {name!r}, which {model.name} lacks: it was made for another model"
        ) from error
    if expected != change.shape:
        raise PitfallsError(
            f"the update changes {name!r} of shape {change.shape}, {model.name} has {expected}: "
            "it was made for another model"
        )


def _shape_in(model: LanguageModel, name: str) -> tuple[int, ...]:
    """Shape of a weight as changes have it, whether or not it lies packed."""
    parameter = model.network.get_parameter(name)
    module: Any = model.network.get_submodule(name.rpartition(".")[0])
    if is_packed(module) and parameter is module.weight:
        return module.out_features, module.in_features
    shape = tuple(parameter.shape)
    return shape[::-1] if model.is_conv1d(name) else shape


def refuse_on_disk(model: LanguageModel, names: Iterable[str]) -> None:
    """Refuse to change what is not in memory; reading with a change on top is no change.

    Raises:
        PitfallsError: one of the weights lies on disk.
    """
    for name in names:
        if model.network.get_parameter(name).is_meta:
            raise PitfallsError(
                f"{name} of {model.name} lies on disk, where it is not changed: load the model "
                "with a device map that keeps this module in memory"
            )

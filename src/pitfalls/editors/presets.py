"""Settings of editors by model: what `data/presets.toml` says, and depths turned into layers."""

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from importlib import resources
from typing import Any

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.settings import Fraction, checked


def preset_settings(name: str, model: LanguageModel) -> dict[str, Any]:
    """Settings that `data/presets.toml` has for the editor `name` on `model`."""
    text = (resources.files("pitfalls.data") / "presets.toml").read_text(encoding="utf-8")
    return _settings(name, model, tomllib.loads(text))


def _settings(name: str, model: LanguageModel, presets: Mapping[str, Any]) -> dict[str, Any]:
    own = deepcopy(presets["default"].get(name, {}))
    like = own.pop("like", None)
    settings = _settings(like, model, presets) if like else {}
    merge(settings, own)
    for row in presets["model"]:
        if model.name in row["names"]:
            merge(settings, row.get(name, {}))
    return settings


def place(name: str, settings: dict[str, Any], n_layers: int) -> None:
    """Turn depth fractions into layers: `depth` into one, `depths` into all between the two.

    Raises:
        PitfallsError: they are no fractions, or in the wrong order.
    """

    def layer(key: str, depth: Any) -> int:
        return round(checked(Fraction, depth, where=f"{name}.{key}") * (n_layers - 1))

    if (depth := settings.pop("depth", None)) is not None:
        settings["layer"] = layer("depth", depth)
    if (depths := settings.pop("depths", None)) is not None:
        if not isinstance(depths, list | tuple) or len(depths) != 2:
            raise PitfallsError(f"{name}.depths: got {depths!r}; expected two fractions")
        first, last = (layer("depths", depth) for depth in depths)
        if first > last:
            raise PitfallsError(f"{name}.depths: got {depths!r}; expected the lower one first")
        settings["layers"] = tuple(range(first, last + 1))


def merge(settings: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Write `changes` into `settings`, tables into tables. Layers win over depths."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(settings.get(key), dict):
            merge(settings[key], value)
        else:
            settings[key] = deepcopy(value)
    for named, fraction in (("layer", "depth"), ("layers", "depths")):
        if named in changes:
            settings.pop(fraction, None)

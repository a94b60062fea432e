"""Settings of editors by model: what `data/presets.toml` says, and depths turned into layers."""

import tomllib
from collections.abc import Collection, Mapping
from copy import deepcopy
from importlib import resources
from typing import Any

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.settings import Fraction, checked

DEPTHS = ("depth", "depths")
"""Settings that become layers."""


def preset_settings(name: str, model: LanguageModel, known: Collection[str] = ()) -> dict[str, Any]:
    """Settings that `data/presets.toml` has for the editor `name` on `model`.

    Args:
        name: a section of the file.
        model: whose rows count.
        known: the editor's settings; those of an editor that it is `like` are left out otherwise.
    """
    text = (resources.files("pitfalls.data") / "presets.toml").read_text(encoding="utf-8")
    return _settings(name, model, tomllib.loads(text), known)


def _settings(
    name: str, model: LanguageModel, presets: Mapping[str, Any], known: Collection[str]
) -> dict[str, Any]:
    own = deepcopy(presets["default"].get(name, {}))
    settings: dict[str, Any] = {}
    if (like := own.pop("like", None)) is not None:
        theirs = _settings(like, model, presets, known)
        settings = {key: value for key, value in theirs.items() if key in (*known, *DEPTHS)}
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

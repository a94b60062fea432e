"""The table of editors by their names on the command line, and their settings for a model."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pitfalls.editors.editor import Editor
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.memit import Memit
from pitfalls.editors.mend import Mend
from pitfalls.editors.rome import Rome
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.settings import Fraction, check_some, checked, refuse_unknown

EDITORS: dict[str, type[Editor]] = {
    "ft": FineTune,
    "ft-norm": FineTune,
    "mend": Mend,
    "rome": Rome,
    "memit": Memit,
}
"""Name → method. Two names of one method differ by their settings in `data/presets.toml`."""

DEFAULT_EDITORS = ("ft", "ft-norm", "mend", "rome", "memit", "memit+mle")
"""What a run takes that names no editors, as far as the model has what they need."""

MULTI_LABEL = "+mle"
"""Behind an editor's name: the way back of a round trip edits towards every true object."""


@dataclass(frozen=True, slots=True)
class EditorName:
    """An editor as named on the command line, `rome` or `rome+mle`."""

    base: str
    multi_label: bool

    @classmethod
    def parse(cls, name: str) -> "EditorName":
        """Take the name apart.

        Raises:
            UnknownNameError: no such editor.
        """
        base = name.removesuffix(MULTI_LABEL)
        if base not in EDITORS:
            raise UnknownNameError("editor", name, [*EDITORS, *(n + MULTI_LABEL for n in EDITORS)])
        return cls(base, multi_label=name.endswith(MULTI_LABEL))

    def __str__(self) -> str:
        return self.base + MULTI_LABEL * self.multi_label


def editors_named(names: Sequence[str] | None, model: LanguageModel) -> list[EditorName]:
    """The editors of a run on `model`, each once; those that need nothing further if none is named.

    Raises:
        UnknownNameError: no such editor.
    """
    if names is not None:
        return [EditorName.parse(name) for name in dict.fromkeys(names)]
    every = map(EditorName.parse, DEFAULT_EDITORS)
    return [name for name in every if EDITORS[name.base].is_ready_for(model)]


def editor_for(
    name: str,
    model: LanguageModel,
    overrides: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
) -> Editor:
    """The editor `name` with its settings for `model`.

    Args:
        name: a key of `EDITORS`.
        model: decides which preset goes, and what a depth fraction means.
        overrides: settings that win over the preset, nested like the editor's fields.
        seed: of what the editor samples, unless the settings name one.

    Raises:
        UnknownNameError: no such editor or setting.
        PitfallsError: a setting of the wrong type, or a layer that the model does not have.
    """
    if name not in EDITORS:
        raise UnknownNameError("editor", name, EDITORS)
    settings = preset_settings(name, model)
    _merge(settings, overrides or {})
    _place(name, settings, model.n_layers)
    refuse_unknown(EDITORS[name], settings, name=name)
    if isinstance(contexts := settings.get("contexts"), dict):
        contexts.setdefault("seed", seed)
    editor: Editor = checked(EDITORS[name], settings, where=name)
    editor.check(model)
    return editor


def check_settings(name: str, overrides: Mapping[str, Any]) -> None:
    """Refuse settings that are wrong for the editor `name` whatever the model.

    Args:
        name: a key of `EDITORS`.
        overrides: as for `editor_for`.

    Raises:
        UnknownNameError: no such editor or setting.
        PitfallsError: a setting of the wrong type, or out of range.
    """
    if name not in EDITORS:
        raise UnknownNameError("editor in settings", name, EDITORS)
    settings = dict(overrides)
    _place(name, settings, n_layers=1)
    check_some(EDITORS[name], settings, name=name)


def preset_settings(name: str, model: LanguageModel) -> dict[str, Any]:
    """What `data/presets.toml` says of the editor `name` on `model`."""
    text = (resources.files("pitfalls.data") / "presets.toml").read_text(encoding="utf-8")
    presets = tomllib.loads(text)
    settings = deepcopy(presets["default"].get(name, {}))
    for row in presets["model"]:
        if model.name in row["names"]:
            _merge(settings, row.get(name, {}))
    return settings


def _place(name: str, settings: dict[str, Any], n_layers: int) -> None:
    """Turn depth fractions into layers: `depth` into one, `depths` into all between the two."""

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


def _merge(settings: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Write `changes` into `settings`, tables into tables. Layers win over depths."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(settings.get(key), dict):
            _merge(settings[key], value)
        else:
            settings[key] = deepcopy(value)
    for named, fraction in (("layer", "depth"), ("layers", "depths")):
        if named in changes:
            settings.pop(fraction, None)

"""The table of editors by their names on the command line, and their settings for a model."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from importlib import resources
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pitfalls.editors.editor import Editor
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.memit import Memit
from pitfalls.editors.mend import Mend
from pitfalls.editors.rome import Rome
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.language_model import LanguageModel

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
    _refuse_unknown(EDITORS[name], settings, where=f"setting of {name}")
    if isinstance(contexts := settings.get("contexts"), dict):
        contexts.setdefault("seed", seed)
    try:
        editor: Editor = TypeAdapter(EDITORS[name]).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise PitfallsError(
            f"{name}.{where}: got {first['input']!r}; {first['msg'].lower()}"
        ) from error
    editor.check(model)
    return editor


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
        if isinstance(depth, bool) or not isinstance(depth, int | float):
            raise PitfallsError(f"{name}.{key}: got {depth!r}; expected a fraction from 0 to 1")
        return round(depth * (n_layers - 1))

    if (depth := settings.pop("depth", None)) is not None:
        settings["layer"] = layer("depth", depth)
    if (depths := settings.pop("depths", None)) is not None:
        if not isinstance(depths, list | tuple) or len(depths) != 2:
            raise PitfallsError(f"{name}.depths: got {depths!r}; expected two fractions")
        first, last = (layer("depths", depth) for depth in depths)
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


def _refuse_unknown(kind: type, settings: Mapping[str, Any], *, where: str) -> None:
    known = {field.name: field.type for field in fields(kind)}
    for key, value in settings.items():
        if key not in known:
            raise UnknownNameError(where, key, known)
        inner = _dataclass_in(known[key])
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(inner, value, where=f"{where}: {key}")


def _dataclass_in(annotation: Any) -> type | None:
    """The dataclass in `X` or `X | None`."""
    options = getattr(annotation, "__args__", (annotation,))
    return next((o for o in options if isinstance(o, type) and is_dataclass(o)), None)

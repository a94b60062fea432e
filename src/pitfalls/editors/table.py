"""The table of editors: a name, a method."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pitfalls.editors.alpha_edit import AlphaEdit
from pitfalls.editors.editor import Editor
from pitfalls.editors.emmet import Emmet
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.ike import Ike
from pitfalls.editors.memit import Memit
from pitfalls.editors.memit_merge import MemitMerge
from pitfalls.editors.memit_seq import MemitSeq
from pitfalls.editors.mend.mend import Mend
from pitfalls.editors.presets import merge, place, preset_settings
from pitfalls.editors.r_rome import RRome
from pitfalls.editors.rome import Rome
from pitfalls.editors.ultra_edit import UltraEdit
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.settings import check_some, checked, refuse_unknown

EDITORS: dict[str, type[Editor]] = {
    "ft": FineTune,
    "ft-norm": FineTune,
    "mend": Mend,
    "rome": Rome,
    "memit": Memit,
    "r-rome": RRome,
    "memit-seq": MemitSeq,
    "alphaedit": AlphaEdit,
    "emmet": Emmet,
    "memit-merge": MemitMerge,
    "ultraedit": UltraEdit,
    "ike": Ike,
}
"""Name → method. Two names of one method differ by their settings in `data/presets.toml`."""

DEFAULT_EDITORS = ("ft", "ft-norm", "mend", "rome", "memit", "memit+mle")
"""Editors of a run that names none, as far as the model has what they need."""


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
    known = {field.name for field in fields(EDITORS[name])}  # type: ignore[arg-type]
    settings = preset_settings(name, model, known)
    merge(settings, overrides or {})
    place(name, settings, model.n_layers)
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
    place(name, settings, n_layers=1)
    check_some(EDITORS[name], settings, name=name)

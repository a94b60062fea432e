"""Pitfalls of knowledge edits: conflict and distortion in edited language models, measured."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

if TYPE_CHECKING:
    from pitfalls.bench.engine import run as run
    from pitfalls.bench.experiment import Experiment as Experiment
    from pitfalls.editors.editor import Job as Job
    from pitfalls.editors.fine_tune import FineTune as FineTune
    from pitfalls.editors.memit import Memit as Memit
    from pitfalls.editors.mend.mend import Mend as Mend
    from pitfalls.editors.rome import Rome as Rome
    from pitfalls.editors.table import editor_for as editor_for
    from pitfalls.effects.effect import effect_of as effect_of
    from pitfalls.effects.limits import Limits as Limits
    from pitfalls.errors import PitfallsError as PitfallsError
    from pitfalls.facts import Edit as Edit
    from pitfalls.models.language_model import LanguageModel as LanguageModel
    from pitfalls.report.results import Results as Results
    from pitfalls.updates.export import save_merged as save_merged
    from pitfalls.updates.lora import save_lora as save_lora
    from pitfalls.updates.request import Request as Request
    from pitfalls.updates.stack import Made as Made
    from pitfalls.updates.stack import Stack as Stack
    from pitfalls.updates.update import Update as Update

_HOMES = {
    "Edit": "pitfalls.facts",
    "Experiment": "pitfalls.bench.experiment",
    "FineTune": "pitfalls.editors.fine_tune",
    "Job": "pitfalls.editors.editor",
    "LanguageModel": "pitfalls.models.language_model",
    "Limits": "pitfalls.effects.limits",
    "Made": "pitfalls.updates.stack",
    "Memit": "pitfalls.editors.memit",
    "Mend": "pitfalls.editors.mend.mend",
    "PitfallsError": "pitfalls.errors",
    "Request": "pitfalls.updates.request",
    "Results": "pitfalls.report.results",
    "Rome": "pitfalls.editors.rome",
    "Stack": "pitfalls.updates.stack",
    "Update": "pitfalls.updates.update",
    "editor_for": "pitfalls.editors.table",
    "effect_of": "pitfalls.effects.effect",
    "run": "pitfalls.bench.engine",
    "save_lora": "pitfalls.updates.lora",
    "save_merged": "pitfalls.updates.export",
}
"""Public name → its module, imported on first use, so that scoring needs no torch."""

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> _Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pitfalls' has no attribute {name!r}")
    return getattr(_import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

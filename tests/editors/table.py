"""Every editor with settings that suit a tiny model."""

from pathlib import Path
from typing import Any

import torch

from pitfalls.editors.editor import Editor
from pitfalls.editors.mend.checkpoint import describe, save_networks
from pitfalls.editors.mend.networks import EditedWeight, MendNetworks
from pitfalls.editors.table import editor_for
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings

TEMPLATES = ("{}", "The composer. {}", "In the city,  one day. {}")

RANK_ONE: dict[str, Any] = {
    "layer": 1,
    "value": {"steps": 8, "weight_decay": 1e-3, "clamp": 8.0},
    "contexts": {"templates": TEMPLATES},
}
SPREAD: dict[str, Any] = {
    "layers": [1, 2],
    "value": {"steps": 8, "weight_decay": 1e-3, "clamp": 2.0},
    "contexts": {"templates": TEMPLATES},
}
"""Settings that editors of ROME's and of MEMIT's kind share."""

SETTINGS: dict[str, dict[str, Any]] = {
    "ft": {"layer": 2, "steps": 5, "lr": 5e-3},
    "ft-norm": {"layer": 0, "steps": 5, "lr": 5e-3, "norm": 5e-3},
    "rome": RANK_ONE,
    "r-rome": RANK_ONE | {"value": RANK_ONE["value"] | {"steps": 11}},
    "memit": SPREAD | {"moment_weight": 0.1},
    "memit-seq": SPREAD | {"moment_weight": 0.1},
    "memit-merge": SPREAD | {"moment_weight": 0.1},
    "emmet": SPREAD | {"moment_weight": 1.0},
    "alphaedit": SPREAD
    | {"value": SPREAD["value"] | {"steps": 12}, "threshold": 2.0, "ridge": 1e-3},
    "ultraedit": {"layers": [1, 2], "in_layers": [2], "lr": 1e-3},
    "ike": {"demonstrations": 0},
    "mend": {},
}
"""Name in `EDITORS` → settings over its preset. A new editor is held to all laws by a row here."""

MOMENTS = ("rome", "memit", "r-rome", "memit-seq", "alphaedit", "emmet", "memit-merge")
"""Those that read second moments."""

STEP_SIZE = {"mend": -0.1}
"""Those that need trained networks: what a step of networks that give back what they get takes."""

TOLERANCE = {"ft": 1e-3, "ft-norm": 1e-3}
"""How far batches may differ from single jobs: Adam takes the sign of FT's tiny gradients."""

HUGE = 1e38
"""Finite in float32, and nothing that is worked out with it is."""

DIVERGING: dict[str, dict[str, Any]] = {
    "ft": {"lr": HUGE},
    "ft-norm": {"lr": HUGE, "norm": HUGE},
    "rome": {"value": {"lr": HUGE, "clamp": HUGE}},
    "memit": {"value": {"lr": HUGE, "clamp": HUGE}},
    "r-rome": {"value": {"lr": HUGE, "clamp": HUGE}},
    "memit-seq": {"value": {"lr": HUGE, "clamp": HUGE}},
    "alphaedit": {"value": {"lr": HUGE, "clamp": HUGE}},
    "emmet": {"value": {"lr": HUGE, "clamp": HUGE}},
    "memit-merge": {"value": {"lr": HUGE, "clamp": HUGE}},
    "ultraedit": {"lr": HUGE},
    "mend": {"step_size": float("inf")},
}
"""Settings that make each of them diverge."""


def tiny_editor(name: str, model: LanguageModel, moments: MomentSettings, **changes: Any) -> Editor:
    """The editor `name` for a tiny model; `changes` win over the table."""
    settings = {**SETTINGS[name]}
    folder = Path(moments.corpus).parent
    if name in MOMENTS:
        settings["moments"] = {"corpus": moments.corpus, "tolerance": moments.tolerance}
    if name in STEP_SIZE:
        size = changes.pop("step_size", STEP_SIZE[name])
        settings["checkpoint"] = str(random_networks(model, folder, step_size=size))
    for key, value in changes.items():
        inner = settings.get(key)
        settings[key] = {**inner, **value} if isinstance(inner, dict) else value
    return editor_for(name, model, settings)


def random_networks(model: LanguageModel, folder: Path, *, step_size: float) -> Path:
    """MEND's networks for the upper half of `model`, trained for nothing, as a file."""
    path = folder / f"{model.fingerprint}{step_size}.safetensors"
    if not path.exists():
        weights = []
        for layer in range(model.n_layers // 2, model.n_layers):
            for name in model.mlp_weight_names(layer):
                d_out, d_in = model.weight(name).shape
                weights.append(EditedWeight(name, d_in, d_out))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            networks = MendNetworks(weights, rank=4, lr=step_size)
            for parameter_name, parameter in networks.named_parameters():
                if parameter_name.endswith(".u"):
                    torch.nn.init.normal_(parameter, std=1e-4)
        save_networks(path, networks, describe(model, networks), large=torch.float32)
    return path

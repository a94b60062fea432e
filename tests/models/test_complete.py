"""A model whose weights do not match its files is refused."""

import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.complete import SHOWN, fault_in
from pitfalls.models.weights.loading import read_model
from pitfalls.testing import FAMILIES, snapshot, tiny_model, unchanged

Weights = dict[str, Tensor]
LAYERS = ("num_hidden_layers", "num_layers", "n_layer")
"""Config entries for the number of blocks."""
NOTHING: dict[str, set[str]] = {
    f"{fault}_keys": set() for fault in ("missing", "unexpected", "mismatched")
}


class Folder:
    """Files of a tiny model, to load with a change."""

    def __init__(self, family: str, path: Path) -> None:
        self.model = tiny_model(family)
        self.path = path
        self.model.network.save_pretrained(path)
        self.model.tokenizer.save_pretrained(path)
        self.weights: Weights = load_file(path / "model.safetensors")
        self.config: dict[str, Any] = json.loads((path / "config.json").read_text())

    def write(self, weights: Weights | None = None, **config: Any) -> None:
        save_file(
            self.weights if weights is None else weights,
            self.path / "model.safetensors",
            metadata={"format": "pt"},
        )
        (self.path / "config.json").write_text(json.dumps(self.config | config))

    def complaint(self, weights: Weights | None = None, **config: Any) -> str:
        """Error for changed weights or another config."""
        self.write(weights, **config)
        with pytest.raises(PitfallsError, match="cannot be loaded as a causal LM") as error:
            read_model(self.path, "float32", "cpu")
        assert "\n" not in str(error.value)
        return str(error.value)


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(request.param, tmp_path_factory.mktemp("model"))


def test_a_model_that_lacks_a_weight_is_refused(folder: Folder):
    parts = folder.model.architecture.final_norm, folder.model.mlp_out_name(1)
    for name in (f"{part}.weight" for part in parts):
        rest = {other: weight for other, weight in folder.weights.items() if other != name}
        told = folder.complaint(rest)
        assert "no weights for " in told and name in told


def test_every_weight_is_missed(folder: Folder):
    (more,) = re.findall(r"no weights for .* and (\d+) more", folder.complaint({}))
    assert int(more) + SHOWN == len(folder.model.network.state_dict())


def test_every_shape_is_compared(folder: Folder):
    shorter = {name: weight[:-1].clone() for name, weight in folder.weights.items()}
    (more,) = re.findall(r" is .*, its config says .* and (\d+) more", folder.complaint(shorter))
    assert int(more) + 1 == len(folder.weights)


@torch.no_grad()
def test_every_weight_is_looked_at_for_what_is_no_number(folder: Folder):
    network, values = folder.model.network, itertools.cycle((math.nan, math.inf, -math.inf))
    for name, weight in network.named_parameters():
        kept = weight.clone()
        weight.view(-1)[-1] = next(values)
        assert fault_in(network, NOTHING) == f"{name} holds values that are not finite"
        weight.copy_(kept)
    assert fault_in(network, NOTHING) is None


def test_a_config_of_more_or_fewer_blocks_is_refused(folder: Folder):
    (key,) = {*LAYERS} & {*folder.config}
    for n_layers, told in ((6, "no weights for "), (2, "no place for: ")):
        others: dict[str, Any] = {
            name: (value * 2)[:n_layers]
            for name, value in folder.config.items()
            if isinstance(value, list) and len(value) == folder.model.n_layers
        }
        if "attention_types" in folder.config:
            others["attention_types"] = [[["local", "global"], n_layers // 2]]
        assert told in folder.complaint(**{key: n_layers}, **others)


def test_a_weight_that_the_model_has_no_place_for_is_refused(folder: Folder):
    strange = f"{folder.model.mlp_out_name(0)}.waight"
    told = f"its config has no place for: {strange})"
    assert told in folder.complaint(folder.weights | {strange: torch.zeros(3)})


def test_what_older_versions_wrote_besides_weights_is_no_fault(folder: Folder):
    attention = f"{folder.model.architecture.blocks}.0.attn"
    old = {
        f"{attention}.bias": torch.ones(4, 4),
        f"{attention}.masked_bias": torch.tensor(-1e9),
        f"{attention}.attention.bias": torch.ones(4, 4),
        f"{attention}.rotary_emb.inv_freq": torch.ones(4),
        "model.embeddings.position_ids": torch.arange(4),
    }
    folder.write(folder.weights | old)
    loaded = LanguageModel.load(str(folder.path))
    assert unchanged(loaded, snapshot(folder.model))


def test_tied_weights_may_be_stored_once_or_twice(tmp_path: Path):
    folder = Folder("gpt2", tmp_path)
    assert "lm_head.weight" not in folder.weights
    for more in ({}, {"lm_head.weight": folder.weights["transformer.wte.weight"].clone()}):
        folder.write(folder.weights | more)
        assert LanguageModel.load(str(tmp_path)).fingerprint == folder.model.fingerprint

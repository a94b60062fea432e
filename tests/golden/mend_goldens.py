"""Golden numbers of MEND, in our types."""

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from pitfalls.editors.gradients import Labelled
from pitfalls.editors.mend.networks import EditedWeight, MendNetworks
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel

STATE = "state/"


@dataclass(frozen=True)
class MendGoldens:
    """One model's folder."""

    folder: Path

    @cached_property
    def runs(self) -> dict[str, Any]:
        return self._unzipped("mend.json.gz")

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.folder / "mend.safetensors")

    @cached_property
    def training(self) -> dict[str, Any]:
        return self._unzipped("mend_train.json.gz")

    @cached_property
    def training_tensors(self) -> dict[str, Tensor]:
        return load_file(self.folder / "mend_train.safetensors")

    @cached_property
    def model(self) -> LanguageModel:
        return LanguageModel.load(str(self.folder / "model"))

    @cached_property
    def padded_model(self) -> LanguageModel:
        """The model with the token [PAD] that the authors' executor adds."""
        model = LanguageModel.load(str(self.folder / "model"))
        pad, size = self.runs["pad_token_id"], self.runs["vocab_after_padding"]
        with torch.no_grad():
            model.network.resize_token_embeddings(size, mean_resizing=False)
            model.network.get_input_embeddings().weight[pad] = self.tensors["padded/wte_last_row"]
            head = model.network.get_output_embeddings()
            if "padded/lm_head_last_row" in self.tensors:
                head.weight[pad] = self.tensors["padded/lm_head_last_row"]
                head.bias[pad] = self.tensors["padded/lm_head_bias_last"]
        return LanguageModel.wrap(model.network, model.tokenizer, name=model.name)

    @property
    def inner_params(self) -> list[str]:
        names: list[str] = self.runs["inner_params"]
        return names

    def networks(self) -> MendNetworks:
        """The recorded hypernetworks."""
        config = self.runs["config"]["mend"]
        assert config["shared"] and config["combine"] and config["norm"]
        weights = [
            EditedWeight(name, d_in=weight.shape[1], d_out=weight.shape[0])
            for name in self.inner_params
            for weight in [self.model.weight(name)]
        ]
        networks = MendNetworks(weights, rank=config["rank"], n_hidden=config["n_hidden"])
        networks.load_state_dict(
            {
                key.removeprefix(STATE): tensor
                for key, tensor in self.tensors.items()
                if key.startswith(STATE)
            }
        )
        return networks.eval()

    def keys(self, mode: str) -> list[str]:
        """The runs of a mode, in the order in which they were made."""
        return [key for key in self.runs if key.startswith(f"{mode}/")]

    def edits(self, key: str) -> tuple[Edit, ...]:
        """Edits of the run `MODE/KEY`."""
        return tuple(
            Edit.of(r["prompt"], subject=r["subject"], target=r["target_new"]["str"])
            for _, r in self._chosen(key)
        )

    def prompts(self, key: str) -> list[list[str]]:
        """For each edit of the run: its own prompt, then the paraphrases."""
        pre = json.loads((self.folder / "eval_pre.json").read_text(encoding="utf-8"))
        return [
            pre["mle_prompts"] if i is None else pre["prompts"][i] for i, _ in self._chosen(key)
        ]

    def _chosen(self, key: str) -> list[tuple[int | None, dict[str, Any]]]:
        requests = json.loads((self.folder / "requests.json").read_text(encoding="utf-8"))
        name = key.rpartition("/")[2]
        if name == "mle":
            return [(None, request) for request in requests["mle_batch"]]
        which = (
            requests["distinct_batch"] if name == "distinct" else [int(name.removeprefix("req"))]
        )
        return [(i, requests["requests"][i]) for i in which]

    def _unzipped(self, name: str) -> dict[str, Any]:
        with gzip.open(self.folder / name, "rt", encoding="utf-8") as file:
            read: dict[str, Any] = json.load(file)
            return read


def labelled(batch: dict[str, Any]) -> list[Labelled]:
    """Recorded token ids, labels and mask as our type. Rows are padded on the right."""
    texts = []
    for ids, mask, labels in zip(
        batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True
    ):
        real, n_labels = ids[: sum(mask)], sum(label != -100 for label in labels)
        assert labels[: sum(mask)][-n_labels:] == real[-n_labels:]
        texts.append(Labelled(tuple(real), n_labels))
    return texts


def deviation(got: Tensor, expected: Tensor) -> float:
    """Norm of the difference relative to the norm of what is expected."""
    assert got.shape == expected.shape
    scale = expected.double().norm().item()
    return (got.double() - expected.double()).norm().item() / (scale or 1.0)

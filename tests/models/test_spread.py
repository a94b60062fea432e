"""A model spread over memory and disk gives the same results."""

from pathlib import Path

import pytest
import torch
from changes import random_change, some_updates

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.spread import every_weight
from pitfalls.testing import snapshot, tiny_model

SHARD = "40KB"
"""Shard size, smaller than a block, so that blocks span several files."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny llama in shards."""
    made, out = tiny_model("llama"), tmp_path_factory.mktemp("sharded")
    made.network.save_pretrained(out, max_shard_size=SHARD)
    made.tokenizer.save_pretrained(out)
    assert len(list(out.glob("*.safetensors"))) > 4
    return out


@pytest.fixture(scope="module")
def whole(folder: Path) -> LanguageModel:
    return LanguageModel.load(str(folder))


@pytest.fixture(scope="module")
def spread(folder: Path) -> LanguageModel:
    """The model with two of four blocks and the head on disk."""
    where = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu"}
    where |= {f"model.layers.{i}": "disk" if i in (1, 2) else "cpu" for i in range(4)}
    made = LanguageModel.load(str(folder), device=where | {"lm_head": "disk"})
    assert {name for name, w in made.network.named_parameters() if w.is_meta} >= {"lm_head.weight"}
    return made


def test_its_weights_and_fingerprint_are_those_of_the_whole(
    whole: LanguageModel, spread: LanguageModel
):
    there = dict(every_weight(spread.network))
    assert all(torch.equal(there[name], weight) for name, weight in snapshot(whole).items())
    assert spread.fingerprint == whole.fingerprint
    assert spread.device == torch.device("cpu")
    assert not spread.is_outline


def test_edited_models_answer_alike(whole: LanguageModel, spread: LanguageModel):
    asked = [
        Question(prompt, target, update.changes)
        for update in some_updates(whole)
        for prompt in ("Marie Curie was born in", "The capital of France is")
        for target in ("Paris", "the city of Vienna")
    ]
    ours, theirs = target_logprobs(spread, asked), target_logprobs(whole, asked)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_a_weight_on_disk_is_not_changed_for_good(spread: LanguageModel):
    change = random_change(spread, 1, rank=1, seed=0)
    with pytest.raises(PitfallsError, match=r"lies on disk.*device map"), change.applied(spread):
        pass
    with pytest.raises(PitfallsError, match="lies on disk"):
        change.commit(spread)
    with random_change(spread, 0, rank=1, seed=0).applied(spread):
        pass


def test_auto_takes_what_is_there(folder: Path, whole: LanguageModel):
    assert LanguageModel.load(str(folder), device="spread").fingerprint == whole.fingerprint

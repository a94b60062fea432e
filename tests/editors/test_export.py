"""Exports do what the update does, in the libraries that load them."""

from pathlib import Path

import pytest
import torch
from jaxtyping import Float
from peft import PeftModel
from table import tiny_editor
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from pitfalls.editors.editor import Job
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.sources.origin import verify
from pitfalls.models.weights.changes import LowRank
from pitfalls.testing import EDITS, snapshot, tiny_model, unchanged
from pitfalls.updates.export import save_merged
from pitfalls.updates.lora import Adapter, save_lora
from pitfalls.updates.update import Update

TEXTS = ("The capital of Côte d'Ivoire is Vienna", "Marie Curie was born in Łódź")
EDITORS = ("ft", "mend", "rome", "memit")

# PEFT asks a model of transformers by a name that is going away.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


KINDS = ("ft", "mend")
"""Editors whose updates stand for all: dense with a bias, and low-rank of several matrices."""


def fitted(name: str, model: LanguageModel, moments: MomentSettings) -> Update:
    """Two edits of different ranks, the second on top of the first."""
    editor = tiny_editor(name, model, moments)
    (first,) = editor.fit(model, [Job(EDITS[:1])])
    (second,) = editor.fit(model, [Job(EDITS[1:], first)])
    return first + second


def logits(network: PreTrainedModel, model: LanguageModel) -> Float[Tensor, "tokens vocabulary"]:
    ids = [model.tokenizer(text, return_tensors="pt")["input_ids"] for text in TEXTS]
    with torch.no_grad():
        return torch.cat([network(each).logits[0] for each in ids])


def edited_logits(model: LanguageModel, update: Update) -> Float[Tensor, "tokens vocabulary"]:
    before = logits(model.network, model)
    with update.applied(model):
        after = logits(model.network, model)
    assert (after - before).abs().max() > 1e-3, "the edit shows in the logits"
    return after


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_transformers_reloads_a_merge(
    name: str, model: LanguageModel, moments: MomentSettings, tmp_path: Path
) -> None:
    update = fitted(name, model, moments)
    save_merged(model, update, tmp_path / "merged")
    verify(tmp_path / "merged")
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    assert_close(logits(reloaded, model), edited_logits(model, update))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer(TEXTS[0])["input_ids"] == model.tokenizer(TEXTS[0])["input_ids"]
    again = LanguageModel.load(str(tmp_path / "merged"))
    with update.applied(model):
        assert (
            again.fingerprint
            == LanguageModel.wrap(model.network, model.tokenizer, name="edited").fingerprint
        )


@pytest.mark.parametrize("name", KINDS)
def test_peft_reloads_an_adapter_and_merges_it(
    name: str, model: LanguageModel, moments: MomentSettings, tmp_path: Path
) -> None:
    update = fitted(name, model, moments)
    expected = edited_logits(model, update)
    whole = min(min(model.weight(n).shape) for n in update if model.weight(n).ndim == 2)
    error = save_lora(model, update, tmp_path / "adapter", rank=whole)
    assert error < 1e-5
    model.network.save_pretrained(tmp_path / "base")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    loaded = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    assert_close(logits(loaded, model), expected)
    merged = loaded.merge_and_unload()
    assert_close(logits(merged, model), expected)


def test_modules_of_different_ranks(model: LanguageModel, tmp_path: Path) -> None:
    changes = {}
    for layer, rank in (0, 1), (1, 3), (3, 2):
        name = f"{model.mlp_out_name(layer)}.weight"
        d_out, d_in = model.weight(name).shape
        generator = torch.Generator().manual_seed(layer)
        changes[name] = LowRank(
            torch.randn(d_out, rank, generator=generator) * 0.1,
            torch.randn(rank, d_in, generator=generator) * 0.1,
        )
    update = Update(changes)
    assert save_lora(model, update, tmp_path / "adapter") == 0
    model.network.save_pretrained(tmp_path / "base")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    loaded = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    assert_close(logits(loaded, model), edited_logits(model, update))


def test_the_error_of_a_factorisation_is_what_it_leaves_out(
    model: LanguageModel, moments: MomentSettings
) -> None:
    update = fitted("ft", model, moments)
    (name,) = [n for n in update if update.changes[n].matrix.ndim == 2]
    dense = update.changes[name].matrix
    errors = []
    for rank in (1, 4, 16, 32):
        adapter = Adapter.of(update, rank=rank)
        (low,) = adapter.matrices.values()
        assert low.A.shape[0] == rank
        left_out = (dense - low.matrix).norm() / dense.norm()
        assert adapter.error == pytest.approx(left_out.item(), rel=1e-4, abs=1e-6)
        errors.append(adapter.error)
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.01


def test_a_dense_change_without_a_rank_is_refused(moments: MomentSettings, tmp_path: Path) -> None:
    model = tiny_model("llama")
    update = fitted("ft", model, moments)
    with pytest.raises(PitfallsError, match=r"is dense.*--rank R"):
        save_lora(model, update, tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("save", [save_merged, save_lora])
def test_nothing_is_written_over_or_by_half(
    save: object, moments: MomentSettings, tmp_path: Path
) -> None:
    model = tiny_model("llama")
    before = snapshot(model)
    update = fitted("rome", model, moments)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.tex").write_text("")
    for place, told in ((taken, "exists already"), (taken / "thesis.tex" / "x", "cannot write")):
        with pytest.raises(PitfallsError, match=told):
            save(model, update, place)
    assert [file.name for file in tmp_path.rglob("*")] == ["taken", "thesis.tex"]
    assert unchanged(model, before)


def test_an_adapter_of_nothing_is_refused() -> None:
    with pytest.raises(PitfallsError, match="changes nothing"):
        Adapter.of(Update())


def test_a_merge_in_bfloat16_holds_the_rounded_sum(
    tiny_folder: Path, moments: MomentSettings, tmp_path: Path
) -> None:
    model = LanguageModel.load(str(tiny_folder), dtype="bfloat16")
    update = fitted("rome", model, moments)
    save_merged(model, update, tmp_path / "merged")
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="auto")
    weights = dict(reloaded.named_parameters())
    for name, weight in model.network.named_parameters():
        expected = weight.float()
        if name in update.changes:
            expected = expected + update.changes[name].matrix
        assert weights[name].dtype == torch.bfloat16
        assert torch.equal(weights[name], expected.bfloat16()), name

"""Cards say what is handed on, and name nothing that is only on this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from peft import PeftConfig

from pitfalls.cache import cache_root
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.sources.packaged import packaged_models
from pitfalls.models.weights.changes import LowRank
from pitfalls.testing import tiny_model
from pitfalls.updates.card import CARD
from pitfalls.updates.export import save_merged
from pitfalls.updates.lora import save_lora
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.published import Published
from pitfalls.updates.update import Update

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

EDITS = ("The capital of France is → Rome", "A `code` of x is → ``` | <b>\n# no heading")
HOME = "0123456789abcdef0123456789abcdef01234567"


def loaded_as(name: str, folder: str) -> LanguageModel:
    """A tiny model that was loaded under a name, from a folder of some cache."""
    model = tiny_model("llama")
    model.network.config._name_or_path = model.network.name_or_path = str(cache_root() / folder)
    return LanguageModel.wrap(model.network, model.tokenizer, name=name)


def update_of(model: LanguageModel) -> Update:
    name = f"{model.mlp_out_name(1)}.weight"
    weight = model.weight(name)
    change = LowRank(weight[:, :1].clone(), weight[:1].clone())
    parts = [Provenance("Rome(layer=1)", (edit,), "f", (), 0.0) for edit in EDITS]
    return Update({name: change}, tuple(parts))


CASES = {
    # name → where it lies, what it is called elsewhere, its revision
    **{name: (f"models/{name}-1", row.base, None) for name, row in packaged_models().items()},
    "owner/model@v1": (f"models--owner--model/snapshots/{HOME}", "owner/model", HOME),
    "owner/other": ("elsewhere", "owner/other", None),
    "my model": ("elsewhere", "my model", None),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("save", [save_merged, save_lora])
def test_a_folder_that_is_handed_on_names_a_base_that_others_can_get(
    save: Callable[..., object], name: str, tmp_path: Path
) -> None:
    folder, base, revision = CASES[name]
    model = loaded_as(name, folder)
    out = tmp_path / "out"
    save(model, update_of(model), out)
    for file in out.iterdir():
        assert str(cache_root()).encode() not in file.read_bytes(), file.name
    card = (out / CARD).read_text("utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head.get("base_model", "my model") == base
    assert head["library_name"] == ("peft" if save is save_lora else "transformers")
    assert base in card and model.fingerprint in card and (revision or "") in card
    assert "- `The capital of France is → Rome`" in card
    assert "# no heading" in card and "\n# no heading" not in card
    if packaged := packaged_models().get(name):
        assert f"quantised to {packaged.quantisation} (`{packaged.file}`)" in card
        assert packaged.licence in card
    if save is save_lora:
        config = PeftConfig.from_pretrained(str(out))
        assert (config.base_model_name_or_path, config.revision) == (base, revision)


def test_a_folder_that_looks_like_an_id_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "model").mkdir(parents=True)
    assert Published.of(loaded_as("owner/model", "x")).on_hub is False

"""A model in four or eight bits is edited as the model that its bits stand for."""

from pathlib import Path

import pytest
import torch
from table import SETTINGS, TOLERANCE, tiny_editor
from transformers import AutoModelForCausalLM, AutoTokenizer

from pitfalls.editors.editor import Job
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.weights.quantised import PACKINGS, is_packed, loading_options
from pitfalls.testing import EDITS, distance, snapshot, unchanged
from pitfalls.updates.export import save_merged
from pitfalls.updates.update import Update

pytestmark = pytest.mark.parametrize("packing", PACKINGS)


def load_in_float32(folder: Path, packing: str) -> LanguageModel:
    """All but the packed matrices in float32, as a model from elsewhere may be."""
    told = loading_options(packing, "cpu")
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **told)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return LanguageModel.wrap(network, tokenizer, name="packed", packing=packing)


def unpack(model: LanguageModel) -> None:
    for name, module in list(model.network.named_modules()):
        if is_packed(module):
            model.weight(f"{name}.weight")


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_edits_are_those_of_the_unpacked_model(
    name: str, packing: str, tiny_folder: Path, moments: MomentSettings
) -> None:
    packed, dense = (load_in_float32(tiny_folder, packing) for _ in range(2))
    unpack(dense)
    jobs = [Job((edit,)) for edit in EDITS]
    ours, theirs = (tiny_editor(name, m, moments).fit(m, jobs) for m in (packed, dense))
    assert any(is_packed(module) for module in packed.network.modules())
    for one, other in zip(ours, theirs, strict=True):
        assert one.failure is None
        assert distance(one, other) <= TOLERANCE.get(name, 1e-4)


def test_a_written_edit_is_taken_off_bit_for_bit(
    packing: str, tiny_folder: Path, moments: MomentSettings
) -> None:
    model = LanguageModel.load(str(tiny_folder), dtype=packing)
    (update,) = tiny_editor("rome", model, moments).fit(model, [Job(EDITS[:1])])
    (name,) = update.changes
    decoded = model.weight(name).clone()
    before = snapshot(model)
    with update.applied(model):
        expected = decoded.float() + update.changes[name].matrix
        assert torch.equal(model.weight(name), expected.bfloat16())
    assert unchanged(model, before)


def test_no_checkpoint_is_written(packing: str, tiny_folder: Path, tmp_path: Path) -> None:
    model = LanguageModel.load(str(tiny_folder), dtype=packing)
    with pytest.raises(PitfallsError, match=rf"kept in {packing}, too few bits.*stack adapter"):
        save_merged(model, Update(), tmp_path / "merged")
    assert not list(tmp_path.iterdir())

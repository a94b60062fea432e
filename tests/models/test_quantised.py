"""A model in four or eight bits computes with its decoded weights."""

import sys

import pytest
import torch
from changes import some_updates

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.checkpoint import write_checkpoint
from pitfalls.models.weights.quantised import PACKINGS, is_packed
from pitfalls.testing import snapshot, tiny_model

pytestmark = pytest.mark.parametrize("packing", PACKINGS)


@pytest.fixture(scope="module", params=["llama", "gpt2", "gpt-neox", "gemma3"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Models with and without biases, with transposed layers, and with a norm after the MLP."""
    made, out = tiny_model(request.param), tmp_path_factory.mktemp("whole")
    write_checkpoint(made.network, made.tokenizer, out)
    return str(out)


def packed_layers(model: LanguageModel) -> list[str]:
    return [name for name, module in model.network.named_modules() if is_packed(module)]


def answers(model: LanguageModel, *, budget: int = 2048) -> list[torch.Tensor]:
    asked = [
        Question(prompt, target, update.changes)
        for update in some_updates(model)
        for prompt in ("Marie Curie was born in", "France")
        for target in ("Paris", "the city of Vienna")
    ]
    return target_logprobs(model, asked, token_budget=budget)


def test_unpacking_changes_no_answer_and_no_fingerprint(packing: str, folder: str) -> None:
    model = LanguageModel.load(folder, dtype=packing)
    names, before = packed_layers(model), answers(model)
    kept = LanguageModel.load(folder, dtype=packing)
    assert len(names) >= 4 * 4
    for name in names:
        model.weight(f"{name}.weight")
    assert not packed_layers(model)
    for one, other in zip(before, answers(model), strict=True):
        assert torch.equal(one, other)
    assert model.fingerprint == kept.fingerprint


def test_only_what_is_asked_for_is_unpacked(packing: str, folder: str) -> None:
    model = LanguageModel.load(folder, dtype=packing)
    before, name = packed_layers(model), model.mlp_out_name(1)
    assert model.weight(f"{name}.weight").dtype == torch.bfloat16
    assert set(before) - set(packed_layers(model)) == {name}


def test_numbers_are_within_a_step_of_what_they_were(packing: str, folder: str) -> None:
    """Holds for rows of any length, multiples of 64 or not."""
    packed, whole = (LanguageModel.load(folder, dtype=name) for name in (packing, "float32"))
    # Of the greatest of 64 numbers, half the widest gap in NF4; of a row's, half of 1/127.
    step = {"nf4": 0.152, "int8": 0.004}[packing] + 2**-8  # and what bfloat16 rounds
    for name in packed_layers(packed):
        weight, original = (model.weight(f"{name}.weight") for model in (packed, whole))
        assert 0 < (weight - original).abs().max() <= step * original.abs().max()


def test_an_answer_does_not_depend_on_the_batch(packing: str, folder: str) -> None:
    model = LanguageModel.load(folder, dtype=packing)
    for together, apart in zip(answers(model), answers(model, budget=1), strict=True):
        torch.testing.assert_close(together, apart, rtol=0.02, atol=0.05)


def test_every_packing_has_a_fingerprint_of_its_own(packing: str, folder: str) -> None:
    names = [packing, packing, *(each for each in ("bfloat16", *PACKINGS) if each != packing)]
    first, again, *others = (LanguageModel.load(folder, dtype=n).fingerprint for n in names)
    assert first == again and len({first, *others}) == 1 + len(others)


def test_it_takes_less_memory(packing: str, folder: str) -> None:
    def size(name: str) -> int:
        model = LanguageModel.load(folder, dtype=name)
        matrices = {f"{path}.weight" for path in packed_layers(packed)}
        return sum(weight.nbytes for name, weight in snapshot(model).items() if name in matrices)

    packed = LanguageModel.load(folder, dtype=packing)
    assert size(packing) * 16 == size("bfloat16") * PACKINGS[packing].bits


def test_without_the_library_one_line_says_what_is_missing(
    packing: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(PitfallsError, match=rf"{packing} need.*pip install pitfalls\[quantised\]"):
        LanguageModel.load(folder, dtype=packing)

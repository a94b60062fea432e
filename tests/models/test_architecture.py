"""Families are told apart by their structure, and what does not fit is named."""

import pytest
from torch import nn

from pitfalls.errors import PitfallsError
from pitfalls.models.architecture import ARCHITECTURES, architecture_of
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import FAMILIES, tiny_model


def test_every_family_of_the_table_can_be_tested():
    assert {row.name for row in ARCHITECTURES} == set(FAMILIES)


def test_a_family_is_found_by_its_structure(model: LanguageModel):
    row = architecture_of(model.network)
    assert row.name in model.name
    assert row == model.architecture


def test_the_value_matrix_is_seen_as_out_by_in(model: LanguageModel):
    for layer in range(model.n_layers):
        weight = model.weight(f"{model.mlp_out_name(layer)}.weight")
        assert weight.shape[0] == model.width
        assert weight.shape[1] > model.width
        assert weight.data_ptr() == model.mlp_out(layer).weight.data_ptr()


def test_an_unknown_structure_is_refused_naming_what_each_family_misses():
    network = nn.ModuleDict({"encoder": nn.Linear(2, 2)})
    with pytest.raises(PitfallsError) as error:
        architecture_of(network)
    message = str(error.value)
    assert "\n" not in message
    for row in ARCHITECTURES:
        assert f"{row.name} needs a module {row.blocks!r}" in message


def test_a_matrix_in_the_other_layout_is_told():
    network = tiny_model("gpt2").network
    mlp = network.get_submodule("transformer.h.0.mlp")
    mlp.c_proj = nn.Linear(*mlp.c_proj.weight.shape)
    with pytest.raises(PitfallsError, match=r"gpt2 needs 'mlp\.c_proj' stored as in_out"):
        architecture_of(network)


@pytest.mark.parametrize("layer", [-1, 4, 100])
def test_a_layer_out_of_range_is_refused(model: LanguageModel, layer: int):
    with pytest.raises(PitfallsError, match=rf"layer {layer} does not exist: .* layers 0 to 3"):
        model.mlp_out_name(layer)

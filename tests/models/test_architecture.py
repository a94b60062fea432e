"""Families are recognised by structure, and errors name the missing part."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from pitfalls.errors import PitfallsError
from pitfalls.models.architecture import architecture_of, architectures, described
from pitfalls.models.head import check_structure
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.mlp_norm import before_mlp_norm, nearest_before_scales
from pitfalls.models.running.passes import right_output
from pitfalls.models.running.trace import traffic
from pitfalls.models.tokens import Split
from pitfalls.testing import tiny_model, tiny_tokenizer

STRANGE = {
    "hidden_size": 32,
    "ffn_hidden_size": 64,
    "n_heads": 4,
    "n_layers": 2,
    "max_seq_len": 64,
    "max_position_embeddings": 64,
    "vocab_size": 400,
    "pad_token_id": 0,
    "attn_config": {"attn_pdrop": 0, "alibi": True},
}
PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
[DESCRIPTION] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
"""Description of the MPT model, as in the docs."""


def test_a_family_is_found_by_its_structure(model: LanguageModel):
    assert architecture_of(model.network) == model.architecture


def test_the_value_matrix_is_seen_as_out_by_in(model: LanguageModel):
    for layer in range(model.n_layers):
        weight = model.weight(f"{model.mlp_out_name(layer)}.weight")
        assert weight.shape[0] == model.width
        assert weight.shape[1] > model.width
        assert weight.data_ptr() == model.mlp_out(layer).weight.data_ptr()


def test_the_parts_make_the_networks_own_logits(model: LanguageModel):
    batch = model.batch([Split((), (5, 6, 7)), Split((), (8, 9, 10))])
    with torch.no_grad():
        ours = model.head_logits(right_output(model, batch, None))
        told = {"attention_mask": batch.mask.long(), "use_cache": False}
        theirs = model.network(input_ids=batch.right, **told).logits.float()
    torch.testing.assert_close(ours, theirs)


def test_an_unknown_structure_is_refused_naming_what_it_misses():
    network = nn.ModuleDict({"encoder": nn.Linear(2, 2)})
    with pytest.raises(PitfallsError, match="ModuleDict belongs to no known family") as error:
        architecture_of(network, directory=Path("somewhere"))
    message = str(error.value)
    assert "\n" not in message
    assert "describe it in somewhere/architecture.toml" in message


def test_the_nearest_family_is_the_one_named():
    network = tiny_model("gptj").network
    for block in network.transformer.h:
        block.mlp.fc_two = block.mlp.fc_out
        del block.mlp.fc_out
    told = r"lacks the module 'transformer\.h\.0\.mlp\.fc_out' of the nearest one, gptj"
    with pytest.raises(PitfallsError, match=told):
        architecture_of(network)


def test_blocks_that_are_not_alike_are_refused():
    network = tiny_model("llama").network
    del network.model.layers[2].mlp.down_proj
    with pytest.raises(PitfallsError, match=r"'model\.layers\.2\.mlp\.down_proj'"):
        architecture_of(network)


@pytest.mark.parametrize("kind", ["mixtral", "qwen3_moe"])
def test_a_mixture_of_experts_is_refused_with_the_reason(kind: str):
    config = AutoConfig.for_model(kind, hidden_size=32, num_hidden_layers=2, vocab_size=400)
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config)
    with pytest.raises(PitfallsError, match=r"mixture of experts \(model\.layers\.0.*own"):
        LanguageModel.wrap(network, tiny_tokenizer(), name="experts")


def test_a_cap_that_the_row_does_not_know_of_is_caught():
    model = tiny_model("gemma2")
    check_structure(model.network, model.architecture, model.device)
    with pytest.raises(PitfallsError, match="gives other logits than its last block"):
        check_structure(model.network, replace(model.architecture, logit_cap=None), model.device)


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """A model of a family without a row (MPT), as a directory."""
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(AutoConfig.for_model("mpt", **STRANGE))
    network.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    return tmp_path


def test_a_model_without_a_row_works_once_it_is_described(strange: Path):
    with pytest.raises(PitfallsError, match=r"describe it in .*architecture\.toml"):
        LanguageModel.load(str(strange))
    (strange / "architecture.toml").write_text(DESCRIPTION)
    model = LanguageModel.load(str(strange))
    assert model.architecture.name == strange.name
    assert model.n_layers == 2
    assert LanguageModel.outline(str(strange)).architecture == model.architecture
    test_the_parts_make_the_networks_own_logits(model)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("blocks = ", "is not valid TOML"),
        (DESCRIPTION.replace("mlp_out", "mlp_uot"), "'mlp_uot': did you mean 'mlp_out'"),
        (DESCRIPTION.replace('"ffn.down_proj"', "3"), "mlp_out: input should be a valid string"),
        (DESCRIPTION.replace("mlp_out = ", "#"), "mlp_out: field required|mlp_out: missing"),
    ],
)
def test_a_faulty_description_is_told(tmp_path: Path, text: str, told: str):
    (tmp_path / "architecture.toml").write_text(text)
    with pytest.raises(PitfallsError, match=told) as error:
        described(tmp_path)
    assert "\n" not in str(error.value)


def test_a_description_that_does_not_fit_is_to_be_corrected(strange: Path):
    (strange / "architecture.toml").write_text(DESCRIPTION.replace("norm_f", "norm_g"))
    with pytest.raises(PitfallsError, match=r"the module 'transformer\.norm_g'.*correct "):
        LanguageModel.load(str(strange))


def test_every_row_says_what_it_is_for():
    assert all(row.models for row in architectures())
    names = [row.name for row in architectures()]
    assert len(names) == len(set(names))


def test_what_the_residual_stream_gets_is_what_was_asked_for(model: LanguageModel):
    layer, path = 1, model.architecture.mlp_norm
    batch = model.batch([Split((), (5, 6, 7, 8))])
    m = traffic(model, batch, {0: model.mlp_out(layer)})[0][1][0]
    random = torch.Generator().manual_seed(0)
    for size in (1e-3, 0.1, 10.0):
        r = size * torch.randn(m.shape, generator=random)
        if path is None:
            assert torch.equal(before_mlp_norm(model, layer, m, r), r)
            continue
        norm = model.blocks[layer].get_submodule(path)
        other = m + size * m.norm() * torch.randn(m.shape, generator=random)
        can_be = norm(other) - norm(m)
        got = norm(m + before_mlp_norm(model, layer, m, can_be)) - norm(m)
        torch.testing.assert_close(got, can_be, rtol=1e-3, atol=1e-4 * can_be.abs().max().item())
        nearest = norm(m + before_mlp_norm(model, layer, m, r)) - norm(m) - r
        for others in (m, m + r, other):
            assert (nearest.norm(dim=-1) <= (norm(others) - norm(m) - r).norm(dim=-1) + 1e-5).all()


@pytest.mark.parametrize("least", [0.0, 1e-3])
def test_scales_near_zero_ask_for_no_more_than_is_there(least: float):
    g = torch.linspace(least, 150, 64, dtype=torch.float64)[None].flip(1)
    target = g * torch.randn(5, 64, dtype=torch.float64) + 30 * torch.randn(5, 64)
    u = nearest_before_scales(g, target)
    assert torch.allclose(u.square().mean(-1).sqrt(), torch.ones(5, dtype=torch.float64))
    error = (g * u - target).norm(dim=-1)
    for _ in range(20):
        other = u + 0.01 * torch.randn(u.shape)
        other /= other.square().mean(-1, keepdim=True).sqrt()
        assert (error <= (g * other - target).norm(dim=-1) + 1e-9).all()


@pytest.mark.parametrize("layer", [-1, 4, 100])
def test_a_layer_out_of_range_is_refused(model: LanguageModel, layer: int):
    with pytest.raises(PitfallsError, match=rf"layer {layer} does not exist: .* layers 0 to 3"):
        model.mlp_out_name(layer)

"""Fast products and label log-probabilities against torch's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.label_logprobs import label_logprobs
from pitfalls.models.running.passes import many_passes
from pitfalls.models.weights import products
from pitfalls.models.weights.products import QUICK, packed, take_quick_products
from pitfalls.testing import tiny_model


def quick_layers(model: LanguageModel) -> list[nn.Module]:
    return [m for m in model.network.modules() if isinstance(m, tuple(QUICK.values()))]


def logits_and_slope(model: LanguageModel) -> tuple[Tensor, Tensor]:
    """Logits of every token of two texts, and their gradient in the first block's input."""
    ids = torch.arange(1, 25).view(2, 12)
    inputs = model.network.get_input_embeddings()(ids).detach().requires_grad_()
    logits = model.network(inputs_embeds=inputs).logits.float()
    (slope,) = torch.autograd.grad(logits.square().mean(), inputs)
    return logits.detach(), slope


def test_packed_weights_multiply_as_unpacked(model: LanguageModel) -> None:
    logits, slope = logits_and_slope(model)
    with many_passes(model, layer=1):
        lying_packed = [layer for layer in quick_layers(model) if layer.packed is not None]
        packed_logits, packed_slope = logits_and_slope(model)
    below = {id(part) for part in model.blocks[0].modules()}
    assert lying_packed and not below & {id(layer) for layer in lying_packed}
    torch.testing.assert_close(packed_logits, logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(packed_slope, slope, rtol=1e-3, atol=1e-6)
    assert all(layer.packed is None for layer in quick_layers(model))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_takes_any_number_of_tokens(dtype: torch.dtype, bias: bool) -> None:
    network = nn.Sequential(nn.Linear(48, 32, bias=bias).to(dtype)).requires_grad_(False)
    take_quick_products(network)
    for shape in [(48,), (1, 48), (7, 48), (3, 0, 48), (5, 17, 48)]:
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        plain = network(x)
        with packed([network]):
            assert network[0].packed is not None
            quick = network(x)
        towards = torch.randn_like(plain)
        slopes = [torch.autograd.grad(y, x, towards)[0] for y in (plain, quick)]
        torch.testing.assert_close(quick, plain, rtol=1e-2, atol=1e-5)
        torch.testing.assert_close(*slopes, rtol=2e-2, atol=1e-3)


def test_large_models_are_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    size = 2 * sum(layer.matrix.nbytes for layer in quick_layers(model))
    for bytes_at_most, expected in ((size, True), (size - 1, False)):
        monkeypatch.setattr(products, "PACKED_AT_MOST", bytes_at_most)
        with packed([model.network]):
            assert [layer.packed is not None for layer in quick_layers(model)] == [expected] * len(
                quick_layers(model)
            )


def test_what_was_packed_outside_stays_packed() -> None:
    model = tiny_model()
    with packed(model.blocks):
        with packed([model.blocks[0]]):
            pass
        inside = [part for block in model.blocks for part in block.modules()]
        layers = [part for part in inside if isinstance(part, tuple(QUICK.values()))]
        assert layers and all(layer.packed is not None for layer in layers)


@given(st.integers(0, 6), st.integers(1, 40), st.sampled_from([0.1, 5.0, 200.0]))
def test_labels_are_as_likely_as_in_all_log_probabilities(n: int, words: int, width: float) -> None:
    logits = width * torch.randn(n, words)
    ids = torch.randint(words, (n,))
    ways = []
    for way in (label_logprobs, lambda x, ids: x.log_softmax(-1).gather(1, ids[:, None])[:, 0]):
        x = logits.clone().requires_grad_()
        found = way(x, ids)
        (slope,) = torch.autograd.grad((found * torch.arange(1, n + 1)).sum(), x)
        ways.append((found.detach(), slope))
    torch.testing.assert_close(ways[0], ways[1], rtol=1e-4, atol=1e-5)

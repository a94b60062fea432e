"""A text that several edited models read is run once through the blocks they share."""

from typing import Any

import pytest
import torch
from changes import random_change
from torch import nn

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, plain_target_logprobs, target_logprobs
from pitfalls.models.running.passes import right_output
from pitfalls.models.running.patches import row_patches
from pitfalls.models.running.sharing import lowest_block, shared_below
from pitfalls.models.tokens import Split
from pitfalls.models.weights.changes import Changes, Dense
from pitfalls.updates.update import Update

LONG, SHORT = (5, 6, 7, 8), (9, 10)


def edited(model: LanguageModel, layer: int) -> list[Changes]:
    return [random_change(model, layer, rank=1, seed=seed).changes for seed in range(3)]


@pytest.mark.parametrize("layer", range(5))
def test_every_row_comes_out_as_it_would_alone(model: LanguageModel, layer: int) -> None:
    changes = edited(model, min(layer, 3))
    texts = [LONG, SHORT, LONG, LONG, SHORT]
    carried = [changes[i] if layer < 4 else {} for i in (0, 0, 1, 2, 1)]
    seen: list[int] = []

    def note(module: nn.Module, args: tuple[torch.Tensor, ...], output: Any) -> None:
        seen.append(len(output[0] if isinstance(output, tuple) else output))

    hooks = [block.register_forward_hook(note) for block in model.blocks]
    with torch.no_grad(), row_patches(model.network, carried):
        batch = model.batch([Split((), text) for text in texts])
        with shared_below(model, layer, texts) as first:
            shared = right_output(model, batch, None)
        rows_seen = list(seen)
        plain = right_output(model, batch, None)
    for hook in hooks:
        hook.remove()
    assert rows_seen == [2] * layer + [5] * (4 - layer)
    assert first == ([0, 1] if layer else [0, 1, 2, 3, 4])
    torch.testing.assert_close(shared, plain, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("layer", range(4))
def test_targets_go_on_from_shared_prompts(model: LanguageModel, layer: int) -> None:
    asked = [
        Question(prompt, target, changes)
        for changes in (*edited(model, layer), {})
        for prompt in ("Marie Curie was born in", "The capital of Łódź is")
        for target in ("Paris", "Łódź in Poland", "the field of physics")
    ]
    for ours, plain in zip(
        target_logprobs(model, asked), plain_target_logprobs(model, asked), strict=True
    ):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


def test_the_lowest_block_that_is_touched(model: LanguageModel) -> None:
    low, high = random_change(model, 1, rank=1, seed=0), random_change(model, 3, rank=1, seed=0)
    assert lowest_block(model, [high.changes, low.changes, {}]) == 1
    assert lowest_block(model, [high.changes]) == 3
    assert lowest_block(model, [{}, {}]) == lowest_block(model, []) == model.n_layers
    embedding = next(name for name, _ in model.network.named_parameters())
    outside = Update({embedding: Dense(torch.zeros_like(model.network.get_parameter(embedding)))})
    assert lowest_block(model, [high.changes, outside.changes]) == 0

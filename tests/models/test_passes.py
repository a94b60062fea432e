"""Texts give the same states whether run whole, split, padded or patched."""

import pytest
import torch
from changes import random_change, some_updates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import by_rows
from pitfalls.models.running.passes import TailReplay, WholeText, right_output, run_left
from pitfalls.models.running.patches import row_patches
from pitfalls.models.running.trace import mlp_out_traffic
from pitfalls.models.tokens import Split

ROUNDING = {"rtol": 1e-4, "atol": 2e-5}

texts = st.lists(st.integers(1, 399), min_size=1, max_size=24)
cut_texts = texts.flatmap(
    lambda ids: st.integers(0, len(ids) - 1).map(lambda cut: (tuple(ids[:cut]), tuple(ids[cut:])))
)
batches = st.lists(cut_texts, min_size=1, max_size=5)
every_model = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def alone(model: LanguageModel, split: Split) -> Tensor:
    """Hidden states of a text alone in its batch, without padding."""
    batch = model.batch([Split((), split.left + split.right)])
    with torch.no_grad():
        return right_output(model, batch, None)[0]


@every_model
@given(cuts=batches)
def test_padding_on_either_side_changes_nothing(
    model: LanguageModel, cuts: list[tuple[tuple[int, ...], tuple[int, ...]]]
):
    rows = [Split(*cut) for cut in cuts]
    whole = [alone(model, row) for row in rows]
    right = model.batch([Split((), row.left + row.right) for row in rows])
    left = model.batch([Split(row.left + row.right[:-1], row.right[-1:]) for row in rows])
    with torch.no_grad():
        right_padded = WholeText(model, right, layer=0).hidden()
        left_padded = WholeText(model, left, layer=0).hidden()[:, left.left.shape[1] :]
    for i, expected in enumerate(whole):
        torch.testing.assert_close(right_padded[i, : len(expected)], expected, **ROUNDING)
        torch.testing.assert_close(left_padded[i, 0], expected[-1], **ROUNDING)


@every_model
@given(cuts=batches)
def test_a_text_goes_on_from_its_left_part(
    model: LanguageModel, cuts: list[tuple[tuple[int, ...], tuple[int, ...]]]
):
    rows = [Split(*cut) for cut in cuts]
    batch = model.batch(rows)
    if not batch.left.shape[1]:
        return
    hidden, cache = run_left(model, batch)
    with torch.no_grad():
        right = right_output(model, batch, cache)
    for i, row in enumerate(rows):
        expected, n = alone(model, row), len(row.left)
        torch.testing.assert_close(hidden[i, hidden.shape[1] - n :], expected[:n], **ROUNDING)
        torch.testing.assert_close(right[i, : len(row.right)], expected[n:], **ROUNDING)


@every_model
@given(cuts=batches, layer=st.integers(0, 3), patched=st.booleans())
def test_tail_replay_is_the_whole_text(
    model: LanguageModel,
    cuts: list[tuple[tuple[int, ...], tuple[int, ...]]],
    layer: int,
    patched: bool,
):
    rows = [Split(*cut) for cut in cuts]
    updates = some_updates(model)
    changes = [updates[i % len(updates) if patched else 0].changes for i in range(len(rows))]
    batch = model.batch(rows)
    with torch.no_grad(), row_patches(model.network, changes):
        replay = TailReplay(model, batch, layer=layer)
        whole = WholeText(model, batch, layer=layer)
        plain = whole.hidden()[:, whole.offset :]
        for _ in range(2):  # the second replay must find what the first one found
            hidden = replay.hidden()
            for i, row in enumerate(rows):
                n = len(row.right)
                torch.testing.assert_close(hidden[i, :n], plain[i, :n], **ROUNDING)


@every_model
@given(cuts=batches, layer=st.integers(0, 3))
def test_gradients_of_tail_replay_are_those_of_the_whole_text(
    model: LanguageModel, cuts: list[tuple[tuple[int, ...], tuple[int, ...]]], layer: int
):
    batch = model.batch([Split(*cut) for cut in cuts])
    real = batch.mask[:, batch.left.shape[1] :]
    gradients = []
    for make in (TailReplay, WholeText):
        text = make(model, batch, layer=layer)
        delta = torch.zeros(len(cuts), model.width, requires_grad=True)

        def add(module, inputs, output, delta=delta, column=text.offset):
            changed = by_rows(output.clone(), len(delta))
            changed[:, column] += delta
            return changed.view_as(output)

        handle = model.mlp_out(layer).register_forward_hook(add)
        try:
            loss = model.head_logits(text.hidden()[:, text.offset :][real])[:, 5].sum()
        finally:
            handle.remove()
        gradients.append(torch.autograd.grad(loss, delta)[0])
    ours, plain = gradients
    assert plain.norm() > 0
    assert (ours - plain).norm() <= 1e-4 * plain.norm()


def test_what_a_replay_read_below_its_layer_is_not_read_again(model: LanguageModel):
    batch = model.batch([Split((5, 6), (7, 8)), Split((), (9,))])
    replay = TailReplay(model, batch, layer=2)
    calls = []
    hooks = [
        block.register_forward_pre_hook(lambda module, inputs, i=i: calls.append(i))
        for i, block in enumerate(model.blocks)
    ]
    try:
        with torch.no_grad():
            replay.hidden()
    finally:
        for hook in hooks:
            hook.remove()
    assert calls == [2, 3]


def test_a_patched_row_is_a_model_with_committed_weights(model: LanguageModel):
    updates = some_updates(model)
    rows = [Split((), tuple(range(10 + i, 16 + 2 * i))) for i in range(len(updates))]
    with torch.no_grad(), row_patches(model.network, [update.changes for update in updates]):
        patched = right_output(model, model.batch(rows), None)
    unedited = alone(model, rows[1])
    assert not torch.allclose(patched[1, : len(unedited)], unedited, **ROUNDING)
    for i, update in enumerate(updates):
        with update.applied(model):
            expected = alone(model, rows[i])
        torch.testing.assert_close(patched[i, : len(expected)], expected, **ROUNDING)


def test_patches_end_with_their_block(model: LanguageModel):
    row = Split((), (5, 6, 7))
    before = alone(model, row)
    with pytest.raises(KeyError), row_patches(model.network, [some_updates(model)[3].changes]):
        raise KeyError
    assert torch.equal(alone(model, row), before)


def test_keys_and_values_of_a_matrix_are_its_input_and_output(model: LanguageModel):
    update = random_change(model, 1, rank=1, seed=4)
    batch = model.batch([Split((), (5, 6, 7)), Split((), (8, 9))])
    with update.applied(model):
        traffic = mlp_out_traffic(model, batch, [1, 3])
        for layer, (keys, values) in traffic.items():
            torch.testing.assert_close(model.mlp_out(layer)(keys), values)
    assert traffic.keys() == {1, 3}


def test_layers_above_those_asked_for_are_not_run(model: LanguageModel):
    calls = []
    hook = model.blocks[2].register_forward_pre_hook(lambda module, inputs: calls.append(2))
    try:
        mlp_out_traffic(model, model.batch([Split((), (5, 6))]), [0, 1])
    finally:
        hook.remove()
    assert not calls

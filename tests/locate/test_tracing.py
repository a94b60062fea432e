"""Batched tracing gives the same results as one restoration at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from known_words import FACTS

from pitfalls.errors import PitfallsError
from pitfalls.locate.noise import corrupted, embedding_spread, subject_noise
from pitfalls.locate.outcome import Trace, Tracing
from pitfalls.locate.recall import Recall
from pitfalls.locate.sites import SITES
from pitfalls.locate.tracing import trace
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.passes import right_output
from pitfalls.models.tokens import Split
from pitfalls.testing import FAMILY_KINDS

pytestmark = pytest.mark.families(FAMILY_KINDS)

SETTINGS = Tracing(samples=2, window=2, token_budget=48)
SPREAD = 0.3


def plain_twin(model: LanguageModel) -> LanguageModel:
    """The same network in the reference mode."""
    return LanguageModel(model.name, model.network, model.tokenizer, model.architecture, plain=True)


def assert_equal(first: Trace, second: Trace) -> None:
    rounding = {"rtol": 1e-4, "atol": 1e-9}
    np.testing.assert_allclose(first.clean, second.clean, **rounding)
    np.testing.assert_allclose(first.corrupted, second.corrupted, **rounding)
    assert first.restored.keys() == second.restored.keys()
    for site, p in first.restored.items():
        np.testing.assert_allclose(p, second.restored[site], **rounding)


def test_side_by_side_is_one_at_a_time(model: LanguageModel) -> None:
    recalls = [Recall.of(model, each) for each in FACTS]
    traces = trace(model, recalls, SETTINGS, spread=SPREAD)
    assert {site.name for site in SITES} >= set(traces[0].restored) >= {"state", "mlp"}
    shortest = slice(2, None)  # one at a time is slow
    plain = trace(plain_twin(model), recalls[shortest], SETTINGS, spread=SPREAD)
    for ours, expected in zip(traces[shortest], plain, strict=True):
        assert_equal(ours, expected)
    check_that_something_happens(traces)


def check_that_something_happens(traces: list[Trace]) -> None:
    """Check that restorations have effects: otherwise the comparison would hold trivially."""
    for each in traces:
        assert abs(each.total_effect) > 1e-6
        for site in each.restored:
            assert np.abs(each.indirect_effect(site)).max() > 1e-7
        # After the last block nothing else is read but the last token's state.
        state = each.restored["state"]
        assert state[-1, -1] == pytest.approx(each.clean, rel=1e-4)
        np.testing.assert_allclose(state[-1, :-1], each.corrupted, rtol=1e-4)


def test_a_fact_does_not_depend_on_its_neighbours(
    tiny: LanguageModel, tiny_recalls: list[Recall]
) -> None:
    together = trace(tiny, tiny_recalls, SETTINGS, spread=SPREAD)
    for recall, expected in zip(tiny_recalls, together, strict=True):
        (alone,) = trace(tiny, [recall], SETTINGS, spread=SPREAD)
        assert_equal(alone, expected)


def test_a_window_of_all_layers_is_wider_than_one_of_one(
    tiny: LanguageModel, tiny_recalls: list[Recall]
) -> None:
    narrow, wide, default = (
        trace(tiny, tiny_recalls[:1], Tracing(samples=1, window=size))[0].restored["mlp"]
        for size in (1, 2 * tiny.n_layers, None)
    )
    np.testing.assert_allclose(wide, wide[:1].repeat(tiny.n_layers, 0), rtol=1e-4)
    assert not np.allclose(narrow, narrow[:1])
    np.testing.assert_array_equal(narrow, default)  # 10 of 48 are 1 of 4


def test_a_family_without_known_attention_is_traced_without_that_panel(
    tiny: LanguageModel, tiny_recalls: list[Recall]
) -> None:
    silent = replace(tiny, architecture=replace(tiny.architecture, attention=None))
    (full,), (rest,) = (
        trace(model, tiny_recalls[-1:], SETTINGS, spread=SPREAD) for model in (tiny, silent)
    )
    assert set(full.restored) - set(rest.restored) == {"attention"}
    assert_equal(
        rest, replace(full, restored={name: full.restored[name] for name in rest.restored})
    )


def test_noise_is_seeded_and_scaled(tiny: LanguageModel, tiny_recalls: list[Recall]) -> None:
    recall, other, *_ = tiny_recalls
    first = subject_noise(tiny, recall, samples=3, scale=1.0, seed=0)
    assert first.shape == (3, recall.end - recall.begin, tiny.width)
    assert torch.equal(first, subject_noise(tiny, recall, samples=3, scale=1.0, seed=0))
    assert not torch.equal(first, subject_noise(tiny, recall, samples=3, scale=1.0, seed=1))
    twice = subject_noise(tiny, recall, samples=3, scale=2.0, seed=0)
    torch.testing.assert_close(twice, 2 * first)
    rest = subject_noise(tiny, other, samples=3, scale=1.0, seed=0)
    assert not torch.equal(first[0, 0], rest[0, 0])
    assert first.std().item() == pytest.approx(1, rel=0.2)


def test_seed_samples_and_noise_reach_the_trace(
    tiny: LanguageModel, tiny_recalls: list[Recall]
) -> None:
    settings = (
        Tracing(samples=1),
        Tracing(samples=2),
        Tracing(samples=1, seed=1),
        Tracing(samples=1, noise=1.0),
    )
    found = [trace(tiny, tiny_recalls[:1], each)[0].corrupted for each in settings]
    gaps = [abs(a - b) for i, a in enumerate(found) for b in found[:i]]
    assert min(gaps) > 1e-7


def test_the_spread_is_that_of_the_subjects_entries(model: LanguageModel) -> None:
    recalls = [Recall.of(model, each) for each in FACTS]
    table = model.network.get_input_embeddings()
    entries = [table(torch.tensor(each.ids[each.begin : each.end])) for each in recalls]
    expected = torch.cat(entries).std().item()
    assert embedding_spread(model, [*recalls, recalls[0]]) == pytest.approx(expected, rel=1e-5)


def test_the_spread_is_taken_of_what_is_traced(
    tiny: LanguageModel, tiny_recalls: list[Recall]
) -> None:
    spread = embedding_spread(tiny, tiny_recalls)
    given = trace(tiny, tiny_recalls, SETTINGS, spread=spread)
    for ours, expected in zip(trace(tiny, tiny_recalls, SETTINGS), given, strict=True):
        assert_equal(ours, expected)


def test_corruption_ends_with_its_block(model: LanguageModel) -> None:
    recall = Recall.of(model, FACTS[0])
    batch = model.batch([Split((), recall.ids)])
    with torch.no_grad():
        before = right_output(model, batch, None)
        with corrupted(model, torch.ones(1, len(recall.ids), model.width)):
            inside = right_output(model, batch, None)
        after = right_output(model, batch, None)
    assert torch.equal(before, after)
    assert not torch.allclose(before, inside)


def test_no_facts_no_traces(tiny: LanguageModel) -> None:
    assert trace(tiny, []) == []


@pytest.mark.parametrize("name", ["samples", "window", "noise"])
def test_a_wrong_setting_is_told_in_one_line(name: str) -> None:
    value = 0.0 if name == "noise" else 0
    with pytest.raises(PitfallsError, match=f"{name}: got 0") as told:
        Tracing(**{name: value})
    assert "\n" not in str(told.value)

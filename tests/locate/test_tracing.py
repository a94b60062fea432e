"""Restorations that share batches and prefixes find what one at a time finds."""

import numpy as np
import pytest
import torch

from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.locate.noise import corrupted, embedding_spread, subject_noise
from pitfalls.locate.outcome import Trace, Tracing
from pitfalls.locate.recall import Recall
from pitfalls.locate.sites import SITES
from pitfalls.locate.tracing import trace
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.passes import right_output
from pitfalls.models.tokens import Split


def fact(prompt: str, subject: str, target: str) -> Fact:
    return Fact(Entity(subject, subject), Relation(prompt, prompt, prompt), Entity(target, target))


FACTS = (
    fact("The capital of {} is", "Côte d'Ivoire", "Yamoussoukro"),
    fact("{} was born in", "Marie Curie", "Warsaw"),
    fact("One day, the composer of the book met {}", "Zola", "Émile"),
)
"""A subject in the middle, at the beginning and at the end."""

SETTINGS = Tracing(samples=2, window=2, token_budget=48)
SPREAD = 0.3


def plain_twin(model: LanguageModel) -> LanguageModel:
    """The same network, run as transformers runs it."""
    return LanguageModel(model.name, model.network, model.tokenizer, model.architecture, plain=True)


def recalls_of(model: LanguageModel) -> list[Recall]:
    return [Recall.of(model, each) for each in FACTS]


@pytest.fixture(scope="module")
def traces(model: LanguageModel) -> list[Trace]:
    return trace(model, recalls_of(model), SETTINGS, spread=SPREAD)


def assert_equal(first: Trace, second: Trace) -> None:
    rounding = {"rtol": 1e-4, "atol": 1e-9}
    np.testing.assert_allclose(first.clean, second.clean, **rounding)
    np.testing.assert_allclose(first.corrupted, second.corrupted, **rounding)
    assert first.restored.keys() == second.restored.keys()
    for site, p in first.restored.items():
        np.testing.assert_allclose(p, second.restored[site], **rounding)


def test_side_by_side_is_one_at_a_time(model: LanguageModel, traces: list[Trace]) -> None:
    plain = trace(plain_twin(model), recalls_of(model), SETTINGS, spread=SPREAD)
    assert {site.name for site in SITES} >= set(plain[0].restored) >= {"state", "mlp"}
    for ours, theirs in zip(traces, plain, strict=True):
        assert_equal(ours, theirs)


def test_a_fact_does_not_depend_on_its_neighbours(
    model: LanguageModel, traces: list[Trace]
) -> None:
    for recall, expected in zip(recalls_of(model), traces, strict=True):
        (alone,) = trace(model, [recall], SETTINGS, spread=SPREAD)
        assert_equal(alone, expected)


def test_a_restored_last_state_is_the_clean_run(traces: list[Trace]) -> None:
    """After the last block nothing else is read but the last token's state."""
    for each in traces:
        state = each.restored["state"]
        assert state[-1, -1] == pytest.approx(each.clean, rel=1e-4)
        np.testing.assert_allclose(state[-1, :-1], each.corrupted, rtol=1e-4)


def test_every_site_moves_something(traces: list[Trace]) -> None:
    """Or else the laws above would hold for a trace that restores nothing."""
    for each in traces:
        assert abs(each.total_effect) > 1e-6
        for site in each.restored:
            assert np.abs(each.indirect_effect(site)).max() > 1e-7


def test_a_window_of_all_layers_is_wider_than_one_of_one(model: LanguageModel) -> None:
    recalls = recalls_of(model)[:1]
    narrow, wide, default = (
        trace(model, recalls, Tracing(samples=1, window=size), spread=SPREAD)[0].restored["mlp"]
        for size in (1, 2 * model.n_layers, None)
    )
    np.testing.assert_allclose(wide, wide[:1].repeat(model.n_layers, 0), rtol=1e-4)
    assert not np.allclose(narrow, narrow[:1])
    np.testing.assert_array_equal(narrow, default)  # 10 of 48 are 1 of 4


def test_noise_is_seeded_and_scaled(model: LanguageModel) -> None:
    recall, other = recalls_of(model)[:2]
    first = subject_noise(model, recall, samples=3, scale=1.0, seed=0)
    assert first.shape == (3, recall.end - recall.begin, model.width)
    assert torch.equal(first, subject_noise(model, recall, samples=3, scale=1.0, seed=0))
    assert not torch.equal(first, subject_noise(model, recall, samples=3, scale=1.0, seed=1))
    twice = subject_noise(model, recall, samples=3, scale=2.0, seed=0)
    torch.testing.assert_close(twice, 2 * first)
    rest = subject_noise(model, other, samples=3, scale=1.0, seed=0)
    assert not torch.equal(first[0, 0], rest[0, 0])
    assert first.std().item() == pytest.approx(1, rel=0.2)


def test_seed_samples_and_noise_reach_the_trace(model: LanguageModel) -> None:
    recalls = recalls_of(model)[:1]
    settings = (
        {"samples": 1},
        {"samples": 2},
        {"samples": 1, "seed": 1},
        {"samples": 1, "noise": 1.0},
    )
    found = [trace(model, recalls, Tracing(**each))[0].corrupted for each in settings]
    gaps = [abs(a - b) for i, a in enumerate(found) for b in found[:i]]
    assert min(gaps) > 1e-7


def test_the_spread_is_that_of_the_subjects_entries(model: LanguageModel) -> None:
    recalls = recalls_of(model)
    table = model.network.get_input_embeddings()
    entries = [table(torch.tensor(each.ids[each.begin : each.end])) for each in recalls]
    expected = torch.cat(entries).std().item()
    assert embedding_spread(model, [*recalls, recalls[0]]) == pytest.approx(expected, rel=1e-5)
    by_default = trace(model, recalls, SETTINGS)
    for ours, given in zip(
        by_default, trace(model, recalls, SETTINGS, spread=expected), strict=True
    ):
        assert_equal(ours, given)


def test_corruption_ends_with_its_block(model: LanguageModel) -> None:
    recall = recalls_of(model)[0]
    batch = model.batch([Split((), recall.ids)])
    with torch.no_grad():
        before = right_output(model, batch, None)
        with corrupted(model, torch.ones(1, len(recall.ids), model.width)):
            inside = right_output(model, batch, None)
        after = right_output(model, batch, None)
    assert torch.equal(before, after)
    assert not torch.allclose(before, inside)


def test_no_facts_no_traces(model: LanguageModel) -> None:
    assert trace(model, []) == []


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"window": 0}, {"noise": 0.0}])
def test_a_wrong_setting_is_told_in_one_line(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(PitfallsError, match=f"tracing: {name} is 0") as told:
        Tracing(**wrong)
    assert "\n" not in str(told.value)

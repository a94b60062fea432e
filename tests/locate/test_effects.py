"""Averages over facts and proposed layers, from traces made by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_words import FACTS

from pitfalls.locate.averages import RESAMPLES, as_rows, average, propose
from pitfalls.locate.outcome import Trace
from pitfalls.locate.recall import ROLES, Recall
from pitfalls.locate.sites import PUBLISHED, scaled_window, window_around

LAST = ROLES.index("last subject token")


def made(effects: np.ndarray, *, subject: int, corrupted: float = 0.25) -> Trace:
    """Trace with these MLP effects, [layer, token of the tail]."""
    n = effects.shape[1]
    recall = Recall(FACTS[0], "", tuple(range(2 + n)), 2, 2 + subject, (0,))
    p = {"state": np.full_like(effects, corrupted), "mlp": corrupted + effects}
    return Trace(recall, 0.75, corrupted, p)


def peaked(layer: int, n_layers: int = 12) -> Trace:
    effects = np.zeros((n_layers, 3))
    effects[layer, 1] = 0.5
    return made(effects, subject=2)


def test_a_fact_counts_once_however_many_tokens_have_a_role() -> None:
    # Five tokens of subject: the three in the middle are one number; then no middle token at all.
    long = made(np.array([[9.0, 1.0, 2.0, 6.0, 9.0, 4.0]]), subject=5)
    longer = made(np.array([[9.0, 5.0, 9.0, 4.0]]), subject=3)
    without = made(np.array([[9.0, 9.0, 2.0]]), subject=2)
    found = average([long, longer, without])["mlp"]
    middle, end = ROLES.index("middle subject tokens"), ROLES.index("last token")
    assert found.n.tolist() == [3, 2, 3, 0, 0, 3]
    assert found.mean[0, middle] == pytest.approx((3 + 5) / 2)
    assert found.error[0, middle] == pytest.approx(1.0)
    assert found.mean[0, end] == pytest.approx(10 / 3)
    assert np.isnan(found.mean[0, ROLES.index("further tokens")])


def test_effects_are_against_the_corrupted_run() -> None:
    found = average([peaked(3)])
    assert (found["state"].mean[:, LAST] == 0).all()
    assert found["mlp"].mean[3, LAST] == pytest.approx(0.5)
    assert peaked(3).total_effect == pytest.approx(0.5)


@given(st.integers(0, 11))
def test_rome_takes_the_peak_and_memit_the_layers_up_to_it(layer: int) -> None:
    found = propose([peaked(layer)] * 3)
    assert (found.peak, found.low, found.high) == (layer, layer, layer)
    assert found.settings["rome"]["layer"] == found.memit[-1] == layer
    assert found.memit == tuple(range(found.memit[0], layer + 1))
    assert len(found.memit) == min(5, layer + 1)
    assert found.settings["memit"]["layers"] == list(found.memit)


def test_only_the_last_subject_token_decides() -> None:
    effects = np.zeros((6, 3))
    effects[4, 1], effects[1, 0], effects[2, 2] = 0.1, 0.9, 0.9
    assert propose([made(effects, subject=2)]).peak == 4


def test_facts_that_disagree_leave_the_peak_open() -> None:
    traces = [peaked(2)] * 3 + [peaked(7)] * 2
    found = propose(traces)
    assert (found.peak, found.low, found.high) == (2, 2, 7)
    assert propose(traces) == found
    # Two of five outweigh three in so many resamplings that 95 % must hold both.
    assert RESAMPLES >= 1000


def test_rows_are_strict_json_of_what_there_is() -> None:
    rows = as_rows(average([peaked(3)]))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert {row["role"] for row in rows} == {ROLES[0], ROLES[2], ROLES[5]}
    assert len(rows) == 2 * 12 * 3
    (best,) = [row for row in rows if row["effect"] > 0.4]
    assert (best["site"], best["layer"], best["role"]) == ("mlp", 3, "last subject token")
    assert best["n"] == 1
    assert best["error"] is None


@given(st.integers(1, 60), st.data())
def test_windows_lie_around_their_layer_and_in_the_model(
    n_layers: int, data: st.DataObject
) -> None:
    layer = data.draw(st.integers(0, n_layers - 1))
    size = data.draw(st.integers(1, 20))
    window = window_around(layer, size, n_layers)
    assert layer in window
    assert 1 <= len(window) <= size
    assert range(n_layers)[window[0]] == window[0]
    assert range(n_layers)[window[-1]] == window[-1]
    inside = layer >= size // 2 and layer + size <= n_layers
    assert len(window) == size or not inside


def test_the_published_window_fits_the_published_model() -> None:
    size, layers = PUBLISHED
    assert scaled_window(layers) == size
    assert scaled_window(30) == 6
    assert scaled_window(1) == 1

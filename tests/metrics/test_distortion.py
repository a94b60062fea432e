"""D in both presets: known values, and the laws of a divergence."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.metrics.d import jensen_shannon, js_per_object

pairs = st.integers(2, 10).flatmap(
    lambda n: st.tuples(*(st.lists(st.floats(1e-6, 1), min_size=n, max_size=n) for _ in range(2)))
)


@pytest.mark.parametrize(
    ("p", "q", "per_object"),
    [
        ([0.9, 0.1], [0.5, 0.5], 0.0508746),
        ([1.0, 0.0], [0.0, 1.0], math.log(2) / 2),
        ([0.2, 0.3], [0.2, 0.3], 0.0),
    ],
)
def test_known_values(p: list[float], q: list[float], per_object: float) -> None:
    """Values that torch's KLDivLoss(reduction="batchmean") gives on vectors."""
    assert js_per_object(p, q) == pytest.approx(per_object, abs=1e-7)
    in_bits = per_object * len(p) / math.log(2)
    assert jensen_shannon(p, q) == pytest.approx(in_bits, abs=1e-6)


def test_a_shared_zero_is_nan_for_the_authors_and_nothing_for_clean() -> None:
    p, q = [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]
    assert math.isnan(js_per_object(p, q))
    assert jensen_shannon(p, q) == jensen_shannon(p[:2], q[:2]) > 0


@given(pairs)
def test_symmetric_bounded_and_blind_to_scale(pair: tuple[list[float], list[float]]) -> None:
    p, q = pair
    divergence = jensen_shannon(p, q)
    assert 0 <= divergence <= 1
    assert divergence == pytest.approx(jensen_shannon(q, p), abs=1e-12)
    assert divergence == pytest.approx(jensen_shannon([x / 8 for x in p], q), abs=1e-12)
    assert jensen_shannon(p, p) == 0


@given(pairs)
def test_the_two_presets_differ_by_unit_and_number_of_objects(
    pair: tuple[list[float], list[float]],
) -> None:
    p, q = pair
    expected = jensen_shannon(p, q) * math.log(2) / len(p)
    assert js_per_object(p, q) == pytest.approx(expected, abs=1e-6)

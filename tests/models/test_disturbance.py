"""The quality of an estimate of C depends on solves with it, not on the length of keys."""

import torch
from torch import Tensor

from pitfalls.models.reading.disturbance import disturbance

D = 24


def keys(n: int, seed: int) -> Tensor:
    """Random keys in all directions, one per row."""
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moment(k: Tensor) -> Tensor:
    return k.mT @ k / len(k)


def test_is_nothing_for_the_same_estimate_up_to_a_factor() -> None:
    C = moment(keys(200, 0))
    assert disturbance(C, C) < 1e-12
    assert disturbance(3 * C, C) < 1e-12


def test_is_the_same_in_all_coordinates() -> None:
    """All directions count equally, however long their keys are."""
    k, mix = keys(400, 0), keys(D, 1) + 3 * torch.eye(D)
    mixed = k @ mix
    expected = disturbance(moment(k[:200]), moment(k))
    assert expected > 0.01
    assert abs(disturbance(moment(mixed[:200]), moment(mixed)) / expected - 1) < 1e-8


def test_a_sink_hides_nothing() -> None:
    """One direction is a thousand times as long, and dominates the norm of the difference."""
    k = keys(400, 0)
    stretch = torch.ones(D).double()
    stretch[0] = 1000
    plain, sink = ((moment(each[:200]), moment(each)) for each in (k, k * stretch))
    assert abs(disturbance(*sink) / disturbance(*plain) - 1) < 1e-8
    small = (torch.linalg.norm(half - all_of_it) / all_of_it.norm() for half, all_of_it in [sink])
    assert next(small) < 0.2, "the direction itself is known well"


def test_is_what_solves_do_to_keys_of_the_text() -> None:
    """Definition: (uᵀCu)(kᵀC⁻¹k)/(uᵀk)² with u = H⁻¹k, each factor averaged over the keys."""
    k = keys(300, 0)
    H, C = moment(k[:100]), moment(k)
    u, best = torch.linalg.solve(H, k.mT), torch.linalg.solve(C, k.mT)
    does, could, reach = ((a * b).sum(0).mean() for a, b in ((u, C @ u), (k.mT, best), (u, k.mT)))
    ratio = (does * could / reach**2).item()
    assert ratio > 1.1
    assert abs(disturbance(H, C) / (ratio - 1) - 1) < 1e-9


def test_halves_with_twice_the_text() -> None:
    short, long = keys(50 * D, 0), keys(200 * D, 1)
    ratio = disturbance(moment(short[: 25 * D]), moment(short)) / disturbance(
        moment(long[: 100 * D]), moment(long)
    )
    assert 3 < ratio < 6


def test_too_little_text_is_no_estimate() -> None:
    k = keys(100, 0)
    assert disturbance(moment(k[: D // 2]), moment(k)) == float("inf")


def test_neurons_that_never_wake_are_left_out() -> None:
    k = keys(200, 0)
    expected = disturbance(moment(k[:100]), moment(k))
    wider = torch.cat([k, torch.zeros(200, 3).double()], dim=1)
    assert disturbance(moment(wider[:100]), moment(wider)) == expected

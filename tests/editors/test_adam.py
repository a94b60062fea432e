"""Many problems in one state move as each does under torch's own Adam."""

import torch
from torch import Tensor

from pitfalls.editors.adam import Adam

ACTIVE = [[True, True, True], [True, False, True], [False, False, True], [True, True, True]]


def gradients(transposed: bool) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    made = [torch.randn(3, 5, 4, generator=random) for _ in ACTIVE]
    return [g if transposed else g.mT.contiguous() for g in made]


def alone(job: int, steps: list[Tensor]) -> tuple[Tensor, int]:
    """Result of torch on one problem, and its number of steps."""
    parameter = torch.zeros(4, 5, requires_grad=True)
    adam = torch.optim.Adam([parameter], lr=0.1)
    for gradient, active in zip(steps, ACTIVE, strict=True):
        if active[job]:
            parameter.grad = gradient[job].clone()
            adam.step()
    return parameter.detach(), sum(active[job] for active in ACTIVE)


def test_each_problem_keeps_its_own_clock() -> None:
    for transposed in (False, True):
        steps = [g.mT if transposed else g for g in gradients(transposed)]
        parameter = torch.zeros(3, 4, 5)
        adam = Adam.like(parameter, lr=0.1)
        for gradient, active in zip(steps, ACTIVE, strict=True):
            adam.step(parameter, gradient, [job for job, goes in enumerate(active) if goes])
        for job in range(3):
            expected, count = alone(job, steps)
            torch.testing.assert_close(parameter[job], expected)
            assert adam.steps[job] == count


def test_the_others_go_on_when_some_are_forgotten() -> None:
    steps, left = gradients(transposed=False), torch.tensor([0, 2])
    whole, part = torch.zeros(3, 4, 5), torch.zeros(2, 4, 5)
    adam, fewer = Adam.like(whole, lr=0.1), Adam.like(whole, lr=0.1)
    adam.step(whole, steps[0], range(3))
    fewer.step(start := torch.zeros(3, 4, 5), steps[0], range(3))
    part = start[left]
    fewer.keep(left)
    adam.step(whole, steps[1], range(3))
    fewer.step(part, steps[1][left], range(2))
    assert torch.equal(part, whole[left])

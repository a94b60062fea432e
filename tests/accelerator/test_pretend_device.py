"""The pretend accelerator keeps an accelerator's rules."""

import pytest
import torch

from pitfalls.testing import pretend_device, tiny_model, to_pretend


@pytest.fixture(autouse=True)
def device() -> object:
    return pretend_device()


def test_numbers_are_those_of_the_cpu():
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    there = x.to("pretend")
    assert there.device.type == "pretend"
    assert torch.equal((there @ there.mT).softmax(-1).cpu(), (x @ x.mT).softmax(-1))
    assert torch.equal(there[there > 0].cpu(), x[x > 0])


def test_views_share_their_memory():
    x = torch.zeros(4, 3, device="pretend")
    x[1:3].T[0].add_(1)
    x.view(-1)[0] = 5
    assert x.cpu().sum() == 7


def test_gradients_come_back():
    w = torch.ones(3, device="pretend", requires_grad=True)
    (w.exp() * 2).sum().backward()
    assert torch.allclose(w.grad.cpu(), 2 * torch.ones(3).exp())


def test_a_tensor_of_the_cpu_is_refused_beside_one_of_its_own():
    there, here = torch.ones(3, device="pretend"), torch.ones(3)
    for mix in (lambda: there + here, lambda: there @ here, lambda: torch.cat([here, there])):
        with pytest.raises(RuntimeError, match="same device"):
            mix()


def test_numbers_and_indices_of_the_cpu_are_taken():
    there = torch.arange(3.0, device="pretend")
    assert (there * torch.tensor(2.0)).cpu().tolist() == [0, 2, 4]
    assert there[torch.tensor([2, 0])].cpu().tolist() == [2, 0]


def test_its_random_numbers_are_its_own():
    before = torch.get_rng_state()
    torch.randn(3, device="pretend")
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(RuntimeError, match="generator"):
        torch.ones(3, device="pretend").normal_(generator=torch.Generator())


def count(work) -> int:
    with pretend_device().watched() as watched:
        work()
    return watched.n_waits


def test_what_makes_the_host_wait_is_counted():
    x = torch.ones(4, device="pretend")
    assert count(lambda: x * 2) == 0
    assert count(lambda: x.sum().item()) == 1
    assert count(x.cpu) == 1
    assert count(lambda: torch.tensor([1, 2], device="pretend")) == 1
    assert count(lambda: torch.tensor([1, 2]).to("pretend", non_blocking=True)) == 0
    assert count(lambda: x[x > 0]) >= 1
    assert count(x.clone) == 0


def test_kernels_are_counted_and_the_line_that_waits_is_told():
    model = to_pretend(tiny_model("gpt2"))
    with pretend_device().watched() as work:
        _ = model.fingerprint
    assert all("fingerprint" in place for place in work.waits)
    with pretend_device().watched() as work:
        _ = model.n_logits
    assert work.n_launches > 0


def test_tied_weights_stay_tied():
    network = to_pretend(tiny_model("gpt2")).network
    assert network.lm_head.weight is network.transformer.wte.weight

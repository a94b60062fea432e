"""Random numbers of the CPU, from a seed, for weights that are made there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the block, torch's random numbers on the CPU follow from `seed`.

    Afterwards they go on where they were. `torch.manual_seed` would seed accelerators, too.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield

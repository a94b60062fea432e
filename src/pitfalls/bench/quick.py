"""The first look: a small run for a command without any settings."""

import torch

from pitfalls.bench.experiment import Experiment
from pitfalls.models.cost import calibrated_rate
from pitfalls.models.weights.auto import AUTO, device_for, is_accelerator

CASES = 3
"""Cases of every kind: a first look is no measurement, and the tables say how little it tells."""

SHAPE = (576, 1536)
"""Shape of the default model's second MLP matrix, whose products judge a precision."""


def quick_experiment() -> Experiment:
    """All editors on a few cases of every kind, in the precision that this machine is faster in.

    On an accelerator that is the checkpoint's own.

    A processor without products in bfloat16 emulates them, more slowly than float32. The rates
    are measured once and remembered, so that the same command describes the same run.
    """
    if is_accelerator(device_for(AUTO)):
        return Experiment(cases=CASES)
    cpu = torch.device("cpu")
    rates = {
        name: calibrated_rate(*SHAPE, dtype, cpu)
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }
    return Experiment(cases=CASES, dtype=max(rates, key=lambda name: rates[name]))

"""Cost estimates: arithmetic of planned work, and the speed of this machine."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from pydantic import PositiveFloat, RootModel

from pitfalls.cache import cache_root
from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.products import linear
from pitfalls.shapes import check

ROWS, WEIGHTS, REPEATS = (256, 768, 2048), 8, 7
"""Rows, distinct weights and repetitions of the benchmark; so many weights exceed any cache."""


class _Rates(RootModel[dict[str, PositiveFloat]]):
    pass


@dataclass(frozen=True, slots=True)
class Cost:
    """Arithmetic counted in tokens, without the small products inside attention."""

    block_tokens: int = 0
    """Passes of a token through a block, forward or backward."""
    logits: int = 0
    """Passes of a token through the head."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.block_tokens + other.block_tokens, self.logits + other.logits)

    def __mul__(self, times: int) -> "Cost":
        return Cost(self.block_tokens * times, self.logits * times)

    def flops(self, model: LanguageModel) -> int:
        """Floating-point operations: additions and multiplications."""
        block = sum(p.numel() for p in model.blocks[0].parameters() if p.ndim == 2)
        return 2 * (self.block_tokens * block + self.logits * model.width * model.n_logits)


def product_rate(d_out: int, d_in: int, dtype: torch.dtype, device: torch.device) -> float:
    """Operations per second in products with a matrix of this shape, at the best row count."""
    weights = [torch.randn(d_out, d_in, dtype=dtype, device=device) for _ in range(WEIGHTS)]
    rates = []
    for rows in ROWS:
        x = torch.randn(rows, d_in, dtype=dtype, device=device)
        seconds = []
        for _ in range(REPEATS):
            begin = clock(device)
            for weight in weights:
                linear(x, weight)
            seconds.append(clock(device) - begin)
        rates.append(2 * rows * d_out * d_in * WEIGHTS / median(seconds))
    return max(rates)


def calibrated_rate(d_out: int, d_in: int, dtype: torch.dtype, device: torch.device) -> float:
    """Result of `product_rate`, measured once on this machine and then cached."""
    file = cache_root() / "calibration.json"
    key = f"{d_out}x{d_in} {dtype} {device} {torch.get_num_threads()} threads {torch.__version__}"
    known = _read(file)
    if key not in known:
        known[key] = product_rate(d_out, d_in, dtype, device)
        make_folder(file.parent)
        write_bytes(file, json.dumps(known, indent=1).encode())
    return known[key]


def _read(file: Path) -> dict[str, float]:
    """Cached rates; none if the file is missing or damaged."""
    try:
        return check(_Rates, read_json(file), where=str(file)).root
    except PitfallsError:
        return {}


def clock(device: torch.device) -> float:
    """Time in seconds after all pending work of `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()

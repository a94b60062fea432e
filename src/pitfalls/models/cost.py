"""What work costs before it is done: arithmetic, and how fast this machine is at it."""

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
"""Of the products that a machine is measured by; with so many weights no cache helps."""


class _Rates(RootModel[dict[str, PositiveFloat]]):
    pass


@dataclass(frozen=True, slots=True)
class Cost:
    """Arithmetic, counted in tokens; attention's own products are left out, they are small."""

    block_tokens: int = 0
    """How often a token goes through a block, forwards or backwards."""
    logits: int = 0
    """The same for the head."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.block_tokens + other.block_tokens, self.logits + other.logits)

    def __mul__(self, times: int) -> "Cost":
        return Cost(self.block_tokens * times, self.logits * times)

    def flops(self, model: LanguageModel) -> int:
        """Additions and multiplications."""
        block = sum(p.numel() for p in model.blocks[0].parameters() if p.ndim == 2)
        return 2 * (self.block_tokens * block + self.logits * model.width * model.n_logits)


def product_rate(d_out: int, d_in: int, dtype: torch.dtype, device: torch.device) -> float:
    """Operations a second in products with a matrix of this shape, at the best number of rows."""
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
    """`product_rate`, measured once on this machine and then remembered."""
    file = cache_root() / "calibration.json"
    key = f"{d_out}x{d_in} {dtype} {device} {torch.get_num_threads()} threads {torch.__version__}"
    known = _read(file)
    if key not in known:
        known[key] = product_rate(d_out, d_in, dtype, device)
        make_folder(file.parent)
        write_bytes(file, json.dumps(known, indent=1).encode())
    return known[key]


def _read(file: Path) -> dict[str, float]:
    """What is in the file; a damaged one is as good as none."""
    try:
        return check(_Rates, read_json(file), where=str(file)).root
    except PitfallsError:
        return {}


def clock(device: torch.device) -> float:
    """Seconds, once everything that was asked of `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()

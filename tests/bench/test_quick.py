"""The first look at the default model takes the precision that the machine is faster in."""

from pathlib import Path

import pytest
import torch

from pitfalls.bench import quick
from pitfalls.models import cost


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_precision_is_taken(faster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def rate(d_out: int, d_in: int, dtype: torch.dtype, device: torch.device) -> float:
        return 2.0 if str(dtype) == f"torch.{faster}" else 1.0

    monkeypatch.setattr(quick, "calibrated_rate", rate)
    experiment = quick.quick_experiment()
    assert experiment.dtype == faster
    assert experiment.editors is None, "all that the model is ready for"


def test_rates_are_measured_once_also_where_there_is_no_cache_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "new" / "cache"))
    first = quick.quick_experiment()

    def refuse(*args: object) -> float:
        raise AssertionError("measured again")

    monkeypatch.setattr(cost, "product_rate", refuse)
    assert quick.quick_experiment() == first


def test_an_accelerator_takes_the_checkpoints_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "device_for", lambda device: "cuda")
    monkeypatch.setattr(quick, "calibrated_rate", lambda *shape: pytest.fail("it is not measured"))
    assert quick.quick_experiment().dtype == "auto"

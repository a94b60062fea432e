"""The first look at the default model takes the precision that the machine is faster in."""

import pytest
import torch

from pitfalls.bench import quick


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_precision_is_taken(faster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def rate(d_out: int, d_in: int, dtype: torch.dtype, device: torch.device) -> float:
        return 2.0 if str(dtype) == f"torch.{faster}" else 1.0

    monkeypatch.setattr(quick, "calibrated_rate", rate)
    experiment = quick.quick_experiment()
    assert experiment.dtype == faster
    assert experiment.editors is None, "all that the model is ready for"

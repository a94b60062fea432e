"""The words `auto` and `spread` for devices, and `auto` for dtypes."""

from pathlib import Path

import pytest
import torch

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.auto import device_for, dtype_for, is_accelerator, memory_of
from pitfalls.models.weights.spread import device_map, is_spread


def machine(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_is_the_best_device(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
):
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert device_for("auto") == expected
    assert device_for("cuda:1") == "cuda:1"


@pytest.mark.parametrize(
    ("kept", "expected"),
    [(torch.bfloat16, "bfloat16"), (torch.float16, "bfloat16"), (torch.float32, "float32")],
)
def test_the_dtype_is_the_checkpoints_on_an_accelerator(
    tiny_folder: Path, tmp_path: Path, kept: torch.dtype, expected: str
):
    network = LanguageModel.load(str(tiny_folder)).network.to(kept)
    network.save_pretrained(tmp_path)
    assert dtype_for("auto", "cuda", tmp_path) == expected
    assert dtype_for("auto", "cpu", tmp_path) == "float32"
    assert dtype_for("float64", "cuda", tmp_path) == "float64"


def test_a_cpu_takes_float32(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path):
    machine(monkeypatch, cuda=False, mps=False)
    model = LanguageModel.load(str(tiny_folder))
    assert (model.device.type, model.dtype_name) == ("cpu", "float32")


def test_spread_is_accelerates_auto():
    assert is_spread("spread")
    assert not is_spread("auto")
    assert device_map("spread") == "auto"


def test_memory_is_told_of_one_device():
    assert memory_of("cpu") > 2**28
    assert memory_of("spread") is None
    assert not is_accelerator("cpu")
    assert is_accelerator("mps")

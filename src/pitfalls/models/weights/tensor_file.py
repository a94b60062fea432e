"""Safetensors files with JSON metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pitfalls.disk import write_bytes
from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError
from pitfalls.shapes import check_json

_Told = TypeVar("_Told", bound=BaseModel)


def read_tensors(
    path: Path | str, key: str, shape: type[_Told], *, complaint: str
) -> tuple[_Told, dict[str, Tensor]]:
    """Read the metadata under `key`, and all tensors of a file.

    Args:
        path: the file.
        key: key of the metadata.
        shape: expected shape of the metadata.
        complaint: words for an error, such as "is not an update".

    Raises:
        PitfallsError: no such file, not safetensors, or other metadata.
    """
    told = read_metadata(path, key, shape, complaint=complaint)
    try:
        with safe_open(path, framework="pt") as file:
            return told, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise _refused(path, complaint, error) from None


def write_tensors(
    path: Path | str, tensors: Mapping[str, Tensor], key: str, told: Mapping[str, Any]
) -> None:
    """Write tensors, and `told` as JSON under `key` of the metadata, whole or not at all.

    Raises:
        PitfallsError: the file cannot be written.
    """
    laid_out = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_bytes(Path(path), save(laid_out, metadata={key: json.dumps(told)}))


def read_metadata(path: Path | str, key: str, shape: type[_Told], *, complaint: str) -> _Told:
    """Read the metadata of a file without its tensors; arguments as for `read_tensors`.

    Raises:
        PitfallsError: as `read_tensors`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(key)
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise _refused(path, complaint, error) from None
    if text is None:
        raise PitfallsError(f"{path} {complaint}: its metadata lack {key!r}")
    return check_json(shape, text, where=f"{path} {complaint}: metadata")


def _refused(path: Path | str, complaint: str, error: Exception) -> PitfallsError:
    why = reason_of(error)
    return PitfallsError(f"{path} {complaint}: {why}")

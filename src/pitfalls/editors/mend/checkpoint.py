"""MEND's networks as a file, which knows the model it was trained for and refuses any other."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from pydantic import RootModel

from pitfalls.door.text import shortened
from pitfalls.editors.mend.networks import EditedWeight, MendNetworks
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.fingerprint import fingerprint_of
from pitfalls.models.weights.loading import DTYPES
from pitfalls.models.weights.tensor_file import read_metadata, read_tensors, write_tensors

KEY = "pitfalls-mend"
"""Where in the file's metadata everything that is no tensor is."""

_COMPLAINT = "is no checkpoint of MEND by pitfalls"

LARGE = (".u", ".v")
"""Endings of the tensors that are most of the file; they are kept in half precision."""


@dataclass(frozen=True, slots=True)
class Description:
    """Metadata of a checkpoint."""

    model: str
    """The name that the model had when the networks were trained."""
    fingerprints: Mapping[str, str]
    """Dtype → fingerprint of that model in it."""
    weights: tuple[EditedWeight, ...]
    rank: int
    n_hidden: int
    training: Mapping[str, Any]
    """Settings, and figures on held-out subjects as training went on; for readers, not for code."""


class _Description(RootModel[Description]):
    pass


def describe(
    model: LanguageModel, networks: MendNetworks, training: Mapping[str, Any] | None = None
) -> Description:
    """The description of networks trained on `model`."""
    fingerprints = (
        {model.packing: model.fingerprint}
        if model.packing
        else {name: fingerprint_of(model.network, dtype) for name, dtype in DTYPES.items()}
    )
    return Description(
        model=model.name,
        fingerprints=fingerprints,
        weights=networks.weights,
        rank=networks.rank,
        n_hidden=networks.n_hidden,
        training=training or {},
    )


def save_networks(
    path: Path | str,
    networks: MendNetworks,
    description: Description,
    *,
    large: torch.dtype = torch.float16,
) -> None:
    """Write networks and description as safetensors.

    Args:
        path: the file.
        networks: the networks.
        description: what `describe` gives.
        large: dtype of the tensors that make up most of the file.

    Raises:
        PitfallsError: the file cannot be written.
    """
    tensors = {
        name: tensor.detach().cpu().to(large if name.endswith(LARGE) else torch.float32)
        for name, tensor in networks.state_dict().items()
    }
    write_tensors(path, tensors, KEY, asdict(description))


def read_description(path: Path | str) -> Description:
    """Metadata of the checkpoint at `path`.

    Raises:
        PitfallsError: no such file, or not a checkpoint.
    """
    return read_metadata(path, KEY, _Description, complaint=_COMPLAINT).root


def load_networks(path: Path | str, model: LanguageModel) -> MendNetworks:
    """The networks at `path`, in float32 and evaluation mode, where `model` is.

    Raises:
        PitfallsError: no such file, not a checkpoint, or one for another model.
    """
    told, tensors = read_tensors(path, KEY, _Description, complaint=_COMPLAINT)
    said = told.root
    if model.fingerprint not in said.fingerprints.values():
        raise PitfallsError(
            f"{path} holds MEND networks for {said.model}, and {model.name} has other weights "
            f"than that: {advice(model)}"
        )
    networks = MendNetworks(said.weights, rank=said.rank, n_hidden=said.n_hidden)
    try:
        networks.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise PitfallsError(f"{path} {_COMPLAINT}: {shortened(str(error))}") from None
    return networks.to(model.device).eval()


def packaged_for(model: LanguageModel) -> Path | None:
    """The checkpoint in the package that was trained for `model`, or None."""
    folder = Path(str(resources.files("pitfalls.data") / "mend"))
    for path in sorted(folder.glob("*.safetensors")):
        description = read_description(path)
        if model.is_outline:  # which has no weights to tell it by
            fits = model.name == description.model and not model.packing
        else:
            fits = model.fingerprint in description.fingerprints.values()
        if fits:
            return path
    return None


def advice(model: LanguageModel) -> str:
    """How to come by networks for `model`."""
    return (
        f"run `pitfalls train mend --model {model.name} --out FILE` and set mend.checkpoint to FILE"
    )

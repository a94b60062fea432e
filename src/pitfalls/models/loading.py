"""From a directory to a network in memory, by transformers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as hf_logging

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.quantised import PACKINGS, loading_options
from pitfalls.models.spread import Placement, is_spread

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
"""Names of the dtypes that weights may be kept in. float64 is for checking, not for speed.
`PACKINGS` has others, of fewer bits, which are for matrices only."""


def check_loadable(dtype: str, device: Placement) -> None:
    """Refuse, before anything is fetched, what no model could be loaded as.

    Raises:
        UnknownNameError: no such dtype.
        PitfallsError: no such device.
    """
    if dtype not in (*DTYPES, *PACKINGS):
        raise UnknownNameError("dtype", dtype, (*DTYPES, *PACKINGS))
    if not isinstance(device, str) or device == "auto":
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # an assertion where torch is built without it
        reason = str(error).partition("\n")[0]
        raise PitfallsError(f"device {device!r} cannot be used: {reason}") from error


def read_model(
    directory: Path, dtype: str, device: Placement
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A network and its tokenizer from a directory that transformers can read.

    Args:
        directory: with a `config.json`.
        dtype: a name in `DTYPES` or `PACKINGS`.
        device: where the weights go; `meta` reads no weights.

    Raises:
        PitfallsError: damaged or missing files, or no bitsandbytes for the packing.
    """
    read = _outlined if device == "meta" else _whole
    try:
        network = read(directory, dtype, device)
        tokenizer = AutoTokenizer.from_pretrained(directory)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise PitfallsError(f"{directory} cannot be loaded as a causal LM: {reason}") from error
    return network, tokenizer


def _outlined(directory: Path, dtype: str, device: Placement) -> PreTrainedModel:
    with torch.device(str(device)):
        config = AutoConfig.from_pretrained(directory)
        return AutoModelForCausalLM.from_config(config, dtype=_beside_packed(dtype))


def _whole(directory: Path, dtype: str, device: Placement) -> PreTrainedModel:
    placed = {"device_map": device} if is_spread(device) else {}
    told = loading_options(dtype, device) if dtype in PACKINGS else placed
    with _no_bars():
        network = AutoModelForCausalLM.from_pretrained(
            directory, dtype=_beside_packed(dtype), **told
        )
    if not told:
        network.to(device)  # type: ignore[arg-type]  # wrapped without its types
    return network


def _beside_packed(dtype: str) -> torch.dtype:
    """Of the weights that are not packed."""
    return DTYPES.get(dtype, torch.bfloat16)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Keep transformers from drawing bars of its own: a library does not print."""
    shown = hf_logging.is_progress_bar_enabled()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hf_logging.enable_progress_bar()

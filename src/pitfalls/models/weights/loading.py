"""Loading of a network and its tokenizer from a directory, with transformers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as hf_logging

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.weights.auto import AUTO
from pitfalls.models.weights.complete import fault_in
from pitfalls.models.weights.folder import check_folder, pickled_advice
from pitfalls.models.weights.quantised import PACKINGS, loading_options
from pitfalls.models.weights.spread import SPREAD, Placement, device_map, is_spread

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
"""Dtypes for weights by name. float64 is for checks. `PACKINGS` has quantised formats, which are
for matrices only."""

TRIAL = "The mother of"
"""Text on which the tokenizer is tried."""


def check_loadable(dtype: str, device: Placement = AUTO) -> None:
    """Refuse an unknown dtype or device before anything is fetched.

    Raises:
        UnknownNameError: no such dtype.
        PitfallsError: no such device.
    """
    names = (AUTO, *DTYPES, *PACKINGS)
    if dtype not in names:
        raise UnknownNameError("dtype", dtype, names)
    if isinstance(device, str):
        _check_device(device, beyond=(AUTO, SPREAD))
        return
    for place in device.values():
        if isinstance(place, str):
            _check_device(place, beyond=("disk",))


def _check_device(device: str, *, beyond: Sequence[str]) -> None:
    """Refuse an unusable device; `beyond` are names that torch does not know."""
    if device in beyond:
        return
    try:
        if torch.empty(0, device=device).is_meta:
            raise RuntimeError("it holds no numbers")
    except (RuntimeError, AssertionError, ImportError) as error:  # as torch was built
        reason = str(error).partition("\n")[0]
        raise PitfallsError(
            f"device {device!r} cannot be used: {reason}; expected auto, cpu, cuda:0 or the like"
        ) from error


def read_model(
    directory: Path, dtype: str, device: Placement
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a network and its tokenizer from a directory in the format of transformers.

    Args:
        directory: a directory with a `config.json`.
        dtype: a name in `DTYPES` or `PACKINGS`.
        device: device of the weights, not `auto`; `meta` reads no weights.

    Raises:
        PitfallsError: damaged or missing files, weights that do not match the config, a tokenizer
            of another model, or bitsandbytes not installed for a quantised format.
    """
    check_folder(directory)
    with _quiet():
        with _explained(directory, "its network"):
            network = (_outlined if device == "meta" else _whole)(directory, dtype, device)
        with _explained(directory, "its tokenizer"):
            tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
            ids = tokenizer(TRIAL)["input_ids"]
    _check_tokens(directory, network, tokenizer.vocab_size, ids)
    return network, tokenizer


def _outlined(directory: Path, dtype: str, device: Placement) -> PreTrainedModel:
    with torch.device(str(device)):
        config = AutoConfig.from_pretrained(directory, trust_remote_code=False)
        return AutoModelForCausalLM.from_config(config, dtype=_beside_packed(dtype))


def _whole(directory: Path, dtype: str, device: Placement) -> PreTrainedModel:
    placed = {"device_map": device_map(device)} if is_spread(device) else {}
    told = loading_options(dtype, device) if dtype in PACKINGS else placed
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=_beside_packed(dtype),
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        trust_remote_code=False,  # by default transformers would ask at the terminal
        **told,
    )
    network: PreTrainedModel = loaded[0]
    if fault := fault_in(network, loaded[1]):
        raise _refused(directory, fault)
    if not told:
        network.to(device)  # type: ignore[arg-type]  # wrapped without its types
    return network


def _check_tokens(
    directory: Path, network: PreTrainedModel, n_tokens: int, ids: Sequence[int]
) -> None:
    """Check the tokenizer; `n_tokens` excludes added tokens such as padding, which is not read."""
    embedding: Any = network.get_input_embeddings()
    known = len(embedding.weight)
    if not ids:
        raise _refused(directory, "its tokenizer gives no tokens for a text; see tokenizer.json")
    if max(n_tokens, *ids) > known:
        told = f"its tokenizer has {n_tokens} tokens and its embedding {known}: they do not match"
        raise _refused(directory, told)


@contextmanager
def _explained(directory: Path, part: str) -> Iterator[None]:
    """Turn any exception of the parsers into an error about the directory's files."""
    try:
        yield
    except PitfallsError:
        raise
    except Exception as error:
        raise _refused(directory, f"{part}: {_reason(directory, error)}") from error


def _reason(directory: Path, error: Exception) -> str:
    if isinstance(error, UnpicklingError | EOFError) and (advice := pickled_advice(directory)):
        return advice
    said = reason_of(error)
    if "custom code" in said:
        return "it comes with code of its own, which is never run"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _refused(directory: Path, reason: str) -> PitfallsError:
    return PitfallsError(
        f"{directory} cannot be loaded as a causal LM ({reason}): expected a whole model that "
        "transformers can read; fetch it again or name another"
    )


def _beside_packed(dtype: str) -> torch.dtype:
    """Dtype of the weights that are not packed."""
    return DTYPES.get(dtype, torch.bfloat16)


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn off the progress bars and logs of transformers: a library does not print."""
    shown, level = hf_logging.is_progress_bar_enabled(), hf_logging.get_verbosity()
    hf_logging.disable_progress_bar()
    hf_logging.set_verbosity_error()
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if shown:
            hf_logging.enable_progress_bar()

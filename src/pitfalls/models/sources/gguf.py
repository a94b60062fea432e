"""Conversion of a quantised GGUF file into a model folder with weights in float32.

Dequantisation takes a while, so the result is kept. Its values are a float16 scale times an integer
plus a float16 offset; neither float16 nor bfloat16 holds this sum exactly, and edits should start
from the same model that others measured.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, __version__

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError
from pitfalls.models.sources.origin import write_note
from pitfalls.models.weights.checkpoint import without_bars, write_checkpoint
from pitfalls.models.weights.complete import fault_in
from pitfalls.progress import SILENT, Progress
from pitfalls.staging import staged


def convert(
    file: Path, destination: Path, *, source: dict[str, str], progress: Progress = SILENT
) -> None:
    """Convert the model in `file` to the folder `destination`, atomically.

    Args:
        file: a GGUF file of any architecture that transformers can read.
        destination: the model directory to make; must not exist.
        source: description of the origin for the folder's note.
        progress: notified of the stages.

    Raises:
        PitfallsError: the file is not a whole GGUF model, or the cache cannot be written.
    """
    with staged(destination) as folder:
        with progress.stage(f"de-quantising {file.name}"):
            model, tokenizer = _read(file)
        with progress.stage("keeping it as safetensors"):
            _write(model, tokenizer, folder)
            write_note(folder, source | {"transformers": __version__})


def _read(file: Path) -> tuple[PreTrainedModel, Any]:
    try:
        with without_bars():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                file.parent,
                gguf_file=file.name,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except Exception as error:
        # The parser raises many types of exception for a damaged file.
        raise _damaged(file, f"{type(error).__name__}: {error}") from error
    model, loading = loaded
    if fault := fault_in(model, loading):
        raise _damaged(file, fault)
    return model, tokenizer


def _write(model: PreTrainedModel, tokenizer: Any, folder: Path) -> None:
    # The weights are no longer quantised, and transformers refuses to save a model marked as
    # quantised; which of the two marks it depends on the version.
    vars(model).pop("hf_quantizer", None)
    vars(model.config).pop("quantization_config", None)
    write_checkpoint(model, tokenizer, folder)


def _damaged(file: Path, reason: str) -> PitfallsError:
    return PitfallsError(
        f"{file} cannot be loaded ({reason_of(reason)}): expected a whole GGUF file of a model "
        "that transformers can read; fetch it again or name a model directory"
    )

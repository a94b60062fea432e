"""From a quantised GGUF file to a folder that every loader reads, weights in float32.

De-quantising takes a while and the result is worth keeping. Float32 because the values are a half
precision scale times an integer plus a half precision offset: that sum fits in neither half
precision nor bfloat16, and an edit should start from the model that others measured.
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
    """Write the model in `file` to the folder `destination`, complete or not at all.

    Args:
        file: a GGUF file of any architecture that transformers can read.
        destination: the model directory to make; must not exist.
        source: what the note in the folder remembers of the origin.
        progress: told of the stages.

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
        # A damaged file makes its parser fail in any of a dozen ways, all of them the file's fault.
        raise _damaged(file, f"{type(error).__name__}: {error}") from error
    model, loading = loaded
    if fault := fault_in(model, loading):
        raise _damaged(file, fault)
    return model, tokenizer


def _write(model: PreTrainedModel, tokenizer: Any, folder: Path) -> None:
    # What is kept is not quantised any more, and transformers refuses to save what says it is;
    # which of the two says so depends on its version.
    vars(model).pop("hf_quantizer", None)
    vars(model.config).pop("quantization_config", None)
    write_checkpoint(model, tokenizer, folder)


def _damaged(file: Path, reason: str) -> PitfallsError:
    return PitfallsError(
        f"{file} cannot be loaded ({reason_of(reason)}): expected a whole GGUF file of a model "
        "that transformers can read; fetch it again or name a model directory"
    )

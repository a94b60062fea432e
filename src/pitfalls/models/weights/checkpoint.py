"""Writing of a model and its tokenizer in the format of transformers."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def write_checkpoint(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> None:
    """Write both into the existing `folder`.

    Raises:
        OSError: the files cannot be written.
    """
    try:
        with without_bars():
            network.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except SafetensorError as error:  # raised by its writer on a full disk
        raise OSError(str(error)) from error
    for file in folder.iterdir():
        # safetensors makes files that only their owner can read; a folder may serve a group.
        file.chmod(0o644)


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Keep progress bars that transformers cannot disable off standard error."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield

"""Writing a model and its tokenizer the way transformers reads them again."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def write_checkpoint(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> None:
    """Write both into `folder`, which is there.

    Raises:
        OSError: the disk cannot take it.
    """
    try:
        with without_bars():
            network.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except SafetensorError as error:  # how a full disk reaches us from its writer
        raise OSError(str(error)) from error
    for file in folder.iterdir():
        # Its writer makes files that only their owner can read; a folder may serve a whole group.
        file.chmod(0o644)


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Keep transformers' own bars off standard error; no setting of theirs covers these."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield

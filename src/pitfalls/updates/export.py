"""A full checkpoint with the edits in its weights, which transformers loads like any other."""

from pathlib import Path
from shutil import copyfile

from pitfalls.disk import refuse_taken
from pitfalls.errors import PitfallsError
from pitfalls.models.architecture import DESCRIPTION
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.sources.origin import write_note
from pitfalls.models.weights.checkpoint import write_checkpoint
from pitfalls.staging import staged
from pitfalls.updates.card import MERGED, write_card
from pitfalls.updates.update import Update


def save_merged(model: LanguageModel, update: Update, destination: Path | str) -> None:
    """Write the model with `update` in its weights, and its tokenizer, whole or not at all.

    Two files beside them tell the unedited model and the edits: `README.md`, a model card, and
    `origin.json`, a note that has the files' checksums as well.

    Args:
        model: left as it was, bit for bit. Its dtype is the checkpoint's.
        update: of weights alone.
        destination: the folder to make.

    Raises:
        PitfallsError: the folder is there already or cannot be written, the update was made for
            another model or has a part that no weights hold, or the model is kept in too few bits.
    """
    refuse_packed(model)
    update.refuse_beside()
    destination = Path(destination)
    refuse_taken(destination)
    with staged(destination) as folder:
        with update.applied(model):
            write_checkpoint(model.network, model.tokenizer, folder)
        _describe(model, folder)
        write_card(folder, model, update, MERGED)
        write_note(folder, origin_of(model, update))


def _describe(model: LanguageModel, folder: Path) -> None:
    """Let a model of no known family keep the file that says where its parts are."""
    description = Path(model.network.name_or_path or "") / DESCRIPTION
    if description.is_file():
        copyfile(description, folder / DESCRIPTION)


def origin_of(model: LanguageModel, update: Update) -> dict[str, str]:
    """What a note says of an edited model."""
    edits = [text for part in update.history for text in part.edits]
    return {
        "name": model.name,
        "fingerprint": model.fingerprint,
        "edits": "\n".join(edits),
        "editors": "\n".join(part.editor for part in update.history),
    }


def refuse_packed(model: LanguageModel) -> None:
    """Refuse to write edits into matrices of few bits.

    Raises:
        PitfallsError: the model's matrices were packed when it was loaded.
    """
    if model.packing:
        raise PitfallsError(
            f"{model.name} is kept in {model.packing}, too few bits to hold an edit: write it "
            "beside the model, as an adapter (--lora), or edit with another --dtype"
        )

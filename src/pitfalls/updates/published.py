"""The name under which others find the model that an edit was made for."""

from dataclasses import dataclass
from pathlib import Path

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.sources.by_name import HUB_ID
from pitfalls.models.sources.packaged import packaged_models

SNAPSHOTS = "snapshots"
"""Folder of the hub's cache that holds one folder for every commit."""


@dataclass(frozen=True, slots=True)
class Published:
    """A model as others can get it."""

    id: str
    """Name on the hub where it is known, else the user's name for the model."""
    revision: str | None = None
    on_hub: bool = False
    licence: str | None = None
    difference: str | None = None
    """How the weights here differ from those that are published, if they do."""

    @classmethod
    def of(cls, model: LanguageModel) -> "Published":
        """Where to get `model`. A path on this machine is told only where the user named one."""
        if (packaged := packaged_models().get(model.name)) is not None:
            return cls(
                packaged.base,
                on_hub=True,
                licence=packaged.licence,
                difference=(
                    f"The edits were made on weights that had been quantised to "
                    f"{packaged.quantisation} (`{packaged.file}`) and read back as numbers, not on "
                    f"those of {packaged.base}, which differ a little."
                ),
            )
        if HUB_ID.fullmatch(model.name) and not Path(model.name).expanduser().exists():
            id, _, revision = model.name.partition("@")
            return cls(id, revision=_commit(model) or revision or None, on_hub=True)
        return cls(model.name)


def _commit(model: LanguageModel) -> str | None:
    """The hub's cache calls the folder of a model by its commit."""
    folder = Path(model.network.name_or_path or "")
    return folder.name if folder.parent.name == SNAPSHOTS else None

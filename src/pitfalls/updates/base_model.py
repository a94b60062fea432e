"""The unedited model that a stack of edits is for, known by the fingerprint of its weights."""

from dataclasses import dataclass
from pathlib import Path

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.sources.by_name import needs_download
from pitfalls.models.sources.packaged import packaged_models
from pitfalls.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The unedited model that a stack is for."""

    name: str
    dtype: str
    fingerprint: str

    @classmethod
    def of(cls, model: LanguageModel) -> "BaseModel":
        """Name, dtype and fingerprint of `model`; a path is made absolute."""
        path = Path(model.name).expanduser()
        name = str(path.resolve()) if path.exists() else model.name
        return cls(name, model.dtype_name, model.fingerprint)

    def load(
        self,
        *,
        folder: Path | str,
        name: str | None = None,
        dtype: str | None = None,
        device: str = "auto",
        progress: Progress = SILENT,
    ) -> LanguageModel:
        """Load the model, or the same weights under another name.

        Args:
            folder: where the edits are; error lines name it.
            name: where else to find the model; its own name if not given.
            dtype: its own if not given; no other is taken.
            device: as `LanguageModel.load` takes it.
            progress: told of the stages.

        Raises:
            PitfallsError: another model, which is refused before it is loaded where its name
                tells; or it cannot be loaded.
        """
        name, dtype = name or self.name, dtype or self.dtype
        self.refuse_other(name, dtype, folder=folder)
        model = LanguageModel.load(name, dtype=dtype, device=device, progress=progress)
        self.refuse_other_weights(model, folder=folder)
        return model

    def refuse_other(self, name: str, dtype: str, *, folder: Path | str) -> None:
        """Refuse what is surely another model, before it is fetched or loaded.

        A model of another name may still have the same weights: that is left to the fingerprint
        where the model is on this machine.

        Args:
            name: as `LanguageModel.load` takes it.
            dtype: likewise.
            folder: where the edits are.

        Raises:
            PitfallsError: another dtype, another packaged model, or one that is not fetched yet.
        """
        packaged = packaged_models()
        both_packaged = name in packaged and self.name in packaged
        other = name != self.name and (both_packaged or needs_download(name))
        if other or dtype != self.dtype:
            raise PitfallsError(
                f"{folder} holds edits of {self.name} in {self.dtype}, not of {name} in {dtype}: "
                "name the same model and dtype, or another folder for the stack"
            )

    def refuse_other_weights(self, model: LanguageModel, *, folder: Path | str) -> None:
        """Refuse a model whose weights are not these.

        Args:
            model: as it is, unedited.
            folder: where the edits are.

        Raises:
            PitfallsError: its fingerprint is another.
        """
        other = BaseModel.of(model)
        if other.fingerprint != self.fingerprint:
            theirs, ours = (f"{m.name} in {m.dtype}" for m in (self, other))
            raise PitfallsError(
                f"{folder} holds edits of {theirs}, fingerprint {self.fingerprint[:12]}…, "
                f"and {ours} has {other.fingerprint[:12]}…: name the same model and dtype, or "
                "another folder for the stack"
            )

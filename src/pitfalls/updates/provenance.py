"""Origin of an update: which editor made which edits of which model, and how that went."""

from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a part of an update comes from and how its fit went."""

    editor: str
    """The editor with its settings, as its `repr` writes them."""
    edits: tuple[str, ...]
    model: str
    """Fingerprint of the unedited model."""
    losses: tuple[float, ...]
    """The objective at every step, in order; for several edits one after the other."""
    seconds: float
    """The job's share of the wall-clock time of its batch."""
    failure: str | None = None
    """Why there is no change, such as a loss that is not finite; None where there is one."""

    @classmethod
    def of(
        cls,
        editor: object,
        edits: Sequence[Edit],
        model: LanguageModel,
        *,
        losses: Sequence[float],
        seconds: float,
        failure: str | None = None,
    ) -> "Provenance":
        """Origin of the fit of `edits` by `editor` on the unedited `model`."""
        told = tuple(map(str, edits))
        return cls(repr(editor), told, model.fingerprint, tuple(losses), seconds, failure)

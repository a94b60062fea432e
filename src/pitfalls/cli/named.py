"""Model of `pitfalls edit` and `pitfalls stack`, as it was typed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pitfalls.cli.options import MODEL
from pitfalls.progress import Progress

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.models.language_model import LanguageModel
    from pitfalls.updates.stack import Stack


@dataclass(frozen=True, slots=True)
class NamedModel:
    """Model by name, dtype and device; the stack's where nothing was typed."""

    model: str | None = None
    dtype: str | None = None
    device: str = "auto"

    def load(self, stack: "Stack | None", progress: Progress) -> "LanguageModel":
        """Load the model of the stack, or without a stack the one that was named.

        Raises:
            PitfallsError: no such model, or another than the stack's.
        """
        if stack is not None:
            return stack.load_model(
                self.model, dtype=self.dtype, device=self.device, progress=progress
            )
        from pitfalls.models.language_model import LanguageModel

        dtype = self.dtype or "auto"
        return LanguageModel.load(
            self.model or MODEL, dtype=dtype, device=self.device, progress=progress
        )

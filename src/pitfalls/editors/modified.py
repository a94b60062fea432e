"""Editors inside of one more step: what a modifier such as `+rect` wraps around a fit."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate
from pitfalls.models.weights.changes import Change
from pitfalls.models.weights.spread import weight_at_hand
from pitfalls.progress import SILENT, Progress
from pitfalls.updates.update import Update


@dataclass(frozen=True, kw_only=True)
class ModifiedEditor(Editor):
    """An editor whose updates go through one more step. Everything else is the inner editor's."""

    inner: Editor

    @abstractmethod
    def modify(self, model: LanguageModel, job: Job, update: Update) -> Update:
        """The update of `job` after the step; not asked about updates that failed or are empty."""

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """Updates of the inner editor, each after the step."""
        updates = self.inner.fit(model, jobs, progress=progress)
        return [
            self.modify(model, job, update) if job.edits and not update.failure else update
            for job, update in zip(jobs, updates, strict=True)
        ]

    def check(self, model: LanguageModel) -> None:
        """As the inner editor."""
        self.inner.check(model)

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """As the inner editor."""
        return self.inner.templates(model)

    def estimates(
        self, model: LanguageModel, *, progress: Progress = SILENT
    ) -> dict[int, Estimate]:
        """As the inner editor."""
        return self.inner.estimates(model, progress=progress)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """As the inner editor; the step is not counted."""
        return self.inner.cost(model, edits)


def weight_before(model: LanguageModel, name: str, base: Update) -> Float[Tensor, "..."]:
    """Weight that a change of `name` is added to, in float32: the model's with `base` on top."""
    with weight_at_hand(model.network, name):
        weight = model.weight(name).float()
    carried = base.changes.get(name)
    return weight if carried is None else weight + fixed(name, carried).to(weight)


def fixed(name: str, change: Change) -> Float[Tensor, "..."]:
    """The change written out, for steps that look at its entries.

    Raises:
        PitfallsError: the change looks at the text, so there are no entries to look at.
    """
    if change.matrix is None:
        raise PitfallsError(
            f"the change of {name!r} looks at the text, and +rect and +prune take fixed changes: "
            "leave the modifier out"
        )
    return change.matrix

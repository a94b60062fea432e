"""Modifiers: suffixes of an editor's name that change its edits or its updates, as `+mle`."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.editors.editor import Editor, Job
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate
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


@dataclass(frozen=True, slots=True)
class Modifier:
    """One suffix."""

    multi_label: bool = False
    """Multi-Label Edit (paper §4.4): the way back of a round trip is towards all true objects."""
    wrapper: type[ModifiedEditor] | None = None
    """Step behind every fit, if there is one."""


MODIFIERS: dict[str, Modifier] = {"mle": Modifier(multi_label=True)}
"""Suffix, behind a `+` → its meaning."""

"""The interface of every editor, and what it is given to do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pitfalls.editors.about import DENSE, NOTHING, About
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Settings
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Edits to be made together, and the update they are made on top of."""

    edits: tuple[Edit, ...]
    base: Update = field(default_factory=Update)
    """Update that the model carries already. The fit sees it; the returned update leaves it out."""

    def __repr__(self) -> str:
        """How much it is, on one line."""
        return f"<Job: {len(self.edits)} edits on top of {self.base!r}>"


class Editor(Settings, ABC):
    """A method of changing facts in a model. Its settings are its fields; it has one verb."""

    about: ClassVar[About] = About(stores=DENSE, needs=NOTHING, paper="unpublished")
    """Facts for `pitfalls editors`."""

    @abstractmethod
    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One update per job, in order. Jobs are independent and share forward passes.

        Args:
            model: the unedited model; it is left as it was, bit for bit, also when this raises.
            jobs: any number. A job without edits gets an update without changes. What a job gets
                does not depend on the others beyond rounding.
            progress: told about long stages.

        Raises:
            PitfallsError: settings that do not fit the model, or missing ingredients. A fit that
                diverges is no error: its update says so in `failure` and changes nothing.
        """

    @classmethod
    def is_ready_for(cls, model: LanguageModel) -> bool:
        """Whether it can edit `model` without anything that does not come along."""
        del model
        return True

    def check(self, model: LanguageModel) -> None:
        """Refuse settings that do not fit `model` before anything long begins.

        Raises:
            PitfallsError: what does not fit and what to do.
        """
        del model

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """The context templates that `fit` will use, for the run's header; none by default."""
        del model
        return ()

    def estimates(
        self, model: LanguageModel, *, progress: Progress = SILENT
    ) -> dict[int, Estimate]:
        """How the second moments that `fit` solves with were estimated, by layer; none by default.

        Those that are not there yet are estimated now.

        Raises:
            PitfallsError: no such text, or too little of it.
        """
        del model, progress
        return {}

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """About what the fit of one job with `edits` takes, for plans; nothing unless overridden.

        Args:
            model: may be an outline without weights.
            edits: of one job.
        """
        del model, edits
        return Cost()

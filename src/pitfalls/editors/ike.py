"""IKE: edits told in front of the prompt, with demonstrations (Zheng et al. 2023)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from pitfalls.editors.about import CONTEXT, NOTHING, About
from pitfalls.editors.demonstrations import PACKAGED, Encoded, read_demonstrations, told
from pitfalls.editors.editor import Editor, Job
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Index
from pitfalls.updates.context import Retrieved, Told
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class Ike(Editor):
    """In-context knowledge editing: no weight changes, the model reads the new fact each time.

    Choose it as the reference for what a model does with a fact that it is simply told. A prompt
    gets the newest edit whose subject it names, and the demonstrations nearest to that edit.
    """

    about: ClassVar[About] = About(
        stores=CONTEXT, needs=NOTHING, paper="Zheng et al. 2023, arXiv:2305.12740"
    )

    demonstrations: Index = 8
    """k, sentences in front of the new fact; 0 tells the fact alone."""
    source: str = PACKAGED
    """File of demonstrations, JSON lines with `prompt`, `target` and, if you like, `paraphrase`,
    `neighbour` and `neighbour_answer`."""

    def check(self, model: LanguageModel) -> None:
        """Refuse a file that is not there or holds something else."""
        del model
        read_demonstrations(self.source)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """Texts for every job's edits."""
        stored = self._stored(model) if self.demonstrations else None
        n_edits = sum(len(job.edits) for job in jobs)
        updates = []
        with progress.stage("IKE", total=n_edits, unit="edits") as advance:
            for job in jobs:
                updates.append(self._told(model, job, stored))
                advance(len(job.edits))
        return updates

    def _stored(self, model: LanguageModel) -> Encoded:
        sentences = [s for one in read_demonstrations(self.source) for s in one.sentences]
        key = ("IKE", tuple(sentences))
        return model.remember(key, lambda: Encoded.of(model, sentences))

    def _told(self, model: LanguageModel, job: Job, stored: Encoded | None) -> Update:
        if not job.edits:
            return Update()
        edits = tuple(self._text(model, edit, stored) for edit in job.edits)
        origin = Provenance.of(self, job.edits, model, losses=(), seconds=0.0)
        return Update(history=(origin,), context=Retrieved(edits))

    def _text(self, model: LanguageModel, edit: Edit, stored: Encoded | None) -> Told:
        prompt = edit.relation.prompt.format(edit.subject.label)
        new = told(f"{prompt} {edit.new_object.label}")
        query = f"{new}{prompt}\n\n"
        chosen = stored.nearest(model, query, self.demonstrations) if stored else []
        return Told(edit.subject.label, "".join(chosen) + new)

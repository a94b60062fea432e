"""An editor under examination: jobs of every sort, and what it makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.facts import Edit, Entity
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import plain_target_logprobs, target_logprobs
from pitfalls.testing.comparing import distance, snapshot
from pitfalls.updates.update import Update

EDITS = (
    Edit.of("The capital of {} is", subject="Côte d'Ivoire", target="Vienna"),
    Edit.of("{} was born in", subject="Marie Curie", target="Łódź in Poland"),
    Edit.of("{} is a citizen of", subject="Zola", target="Japan"),
)
"""Edits to check editors with."""
LONG = Edit.of("In the city of {}, the author of the book", subject="日本", target="lived in Paris")
"""An edit whose prompt goes on behind the subject."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Fits are made once, when the first law asks for them; laws only look at them."""

    editor: Editor
    model: LanguageModel
    edits: Sequence[Edit] = (*EDITS, LONG)
    """At least two, each of which the editor alone can make."""
    tolerance: float = 1e-3
    """How far, relative to its norm, a change may differ when jobs share a batch."""
    bases: Sequence[Update] = ()
    """Updates by other editors that fits are to stand on."""

    @cached_property
    def before(self) -> dict[str, Tensor]:
        """The weights as they are when the examination begins."""
        return snapshot(self.model)

    @property
    def again(self) -> Edit:
        """Another target for the subject and prompt of the first edit."""
        return replace(self.edits[0], new_object=Entity("Paris", "Paris"))

    @cached_property
    def base(self) -> Update:
        """An update by the editor itself."""
        _ = self.before
        updates = self.editor.fit(self.model, [Job((self.edits[-2],))])
        require(len(updates) == 1, "fit returns one update per job")
        return updates[0]

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Short and long, no edit, one and several, on a base and on none."""
        first, second, *_ = self.edits
        last = self.edits[-1]
        return (
            Job((first,)),
            Job((last,)),
            Job((first, last)),
            Job(()),
            Job((second,), self.base),
            Job((self.again, last), self.base),
            Job((self.edits[-2],)),
        )

    @cached_property
    def updates(self) -> list[Update]:
        """All jobs fitted together."""
        return self.editor.fit(self.model, self.jobs)

    def close(self, first: Update, second: Update) -> bool:
        """Whether two updates differ by no more than rounding."""
        return distance(first, second) <= self.tolerance

    def likelihood(self, edit: Edit, update: Update) -> float:
        """Mean log-probability of the edit's target, as the engine reads an edited model."""
        prompt = edit.relation.prompt.format(edit.subject.label)
        question = update.question(prompt, edit.new_object.label)
        (answer,) = target_logprobs(self.model, [question])
        return answer.mean().item()

    def plain_likelihood(self, edit: Edit, update: Update) -> float:
        """The same, by transformers on the model with the update applied."""
        prompt = edit.relation.prompt.format(edit.subject.label)
        asked = Update().question(update.asked(prompt), edit.new_object.label)
        with update.applied(self.model):
            (answer,) = plain_target_logprobs(self.model, [asked])
        return answer.mean().item()


def require(holds: bool, law: str) -> None:
    """Raise if a law is broken.

    Raises:
        AssertionError: it is; the message is the law.
    """
    if not holds:
        raise AssertionError(law)


def reloaded(update: Update) -> Update:
    """The update as another process gets it: through a file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "update.safetensors"
        update.save(file)
        return Update.load(file)

"""What became of the edits themselves."""

from dataclasses import dataclass

from pitfalls.effects.shift import Shift
from pitfalls.models.reading.greedy import Said
from pitfalls.updates.request import Request


@dataclass(frozen=True, slots=True)
class Wording:
    """The target after one wording of the prompt."""

    shift: Shift
    said_before: Said
    said_after: Said


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request."""

    request: Request
    wordings: tuple[Wording, ...]
    """The prompt, then its paraphrases."""
    true_objects: tuple[Shift, ...]
    overwritten_by: Request | None = None
    """A later edit that wants something else said after the same prompt."""

    @property
    def taken(self) -> bool:
        """Whether the model now goes on with the target after the prompt."""
        return self.wordings[0].said_after.says_target

    @property
    def failed(self) -> bool:
        """Whether it did not take, although no later edit was in its way."""
        return not self.taken and self.overwritten_by is None

    @property
    def likelier(self) -> bool:
        """Whether the target gained at all."""
        shift = self.wordings[0].shift
        return shift.after > shift.before

    @property
    def paraphrases_taken(self) -> int:
        """After how many paraphrases the model goes on with the target."""
        return sum(wording.said_after.says_target for wording in self.wordings[1:])

"""Outcomes of edits: whether they took."""

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
    """Outcome of one request."""

    request: Request
    wordings: tuple[Wording, ...]
    """The prompt, then its paraphrases."""
    true_objects: tuple[Shift, ...]
    overwritten_by: Request | None = None
    """Later request with the same prompt and another target."""

    @property
    def taken(self) -> bool:
        """Whether the model now continues the prompt with the target."""
        return self.wordings[0].said_after.says_target

    @property
    def failed(self) -> bool:
        """Whether it did not take although no later request overwrites it."""
        return not self.taken and self.overwritten_by is None

    @property
    def likelier(self) -> bool:
        """Whether the target became more probable."""
        shift = self.wordings[0].shift
        return shift.after > shift.before

    @property
    def paraphrases_taken(self) -> int:
        """Number of paraphrases that the model continues with the target."""
        return sum(wording.said_after.says_target for wording in self.wordings[1:])

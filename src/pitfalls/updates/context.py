"""Text that an edit puts in front of prompts, where no weight changes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


class Context(ABC):
    """Chooses the text in front of a prompt; it may look at the prompt."""

    @abstractmethod
    def before(self, prompt: str) -> str:
        """Text in front of `prompt`, with the space or line end between the two; may be empty."""

    @abstractmethod
    def plus(self, later: "Context") -> "Context":
        """Context after both edits, this one first."""


@dataclass(frozen=True, slots=True)
class Preface(Context):
    """The same lines in front of every prompt, oldest first."""

    lines: tuple[str, ...]

    def before(self, prompt: str) -> str:
        """Each line with its end, whatever the prompt."""
        del prompt
        return "".join(f"{line}\n" for line in self.lines)

    def plus(self, later: Context) -> "Preface":
        """Lines of both.

        Raises:
            TypeError: the later one is of another kind, which only an editor of its own makes.
        """
        if not isinstance(later, Preface):
            raise TypeError(f"a {type(later).__name__} does not go on from a Preface")
        return Preface(self.lines + later.lines)

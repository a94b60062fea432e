"""Text that an edit puts in front of prompts, where no weight changes."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pitfalls.errors import PitfallsError
from pitfalls.settings import checked


class Context(ABC):
    """Chooses the text in front of a prompt; it may look at the prompt."""

    kind: ClassVar[str]
    """Name in a file."""

    @abstractmethod
    def before(self, prompt: str) -> str:
        """Text in front of `prompt`, with the space or line end between the two; may be empty."""

    @abstractmethod
    def plus(self, later: "Context") -> "Context":
        """Context after both edits, this one first.

        Raises:
            PitfallsError: they do not go together.
        """


@dataclass(frozen=True, slots=True)
class Told:
    """One edit as it is told to the model."""

    subject: str
    text: str
    """All of the text in front of a prompt about it."""


@dataclass(frozen=True, slots=True)
class Retrieved(Context):
    """The newest edit whose subject a prompt names; the newest of all where it names none."""

    kind: ClassVar[str] = "retrieved"

    edits: Annotated[tuple[Told, ...], Field(min_length=1)]
    """Oldest first, at least one."""

    def before(self, prompt: str) -> str:
        """Text of the one edit that is retrieved."""
        newest_first = self.edits[::-1]
        about = (edit for edit in newest_first if edit.subject in prompt)
        return next(about, newest_first[0]).text

    def plus(self, later: Context) -> Context:
        """Edits of both."""
        if not isinstance(later, Retrieved):
            raise PitfallsError(
                f"text in front of prompts of the kind {self.kind!r} does not go together with the "
                f"kind {later.kind!r}: edit with one editor"
            )
        return Retrieved(self.edits + later.edits)


CONTEXTS: dict[str, type[Context]] = {Retrieved.kind: Retrieved}
"""Kinds that a file may hold."""


def as_json(context: Context) -> dict[str, Any]:
    """The context as a file has it, the name of its kind included."""
    return {"kind": context.kind, **asdict(context)}  # type: ignore[call-overload]


def context_of(data: dict[str, Any], *, where: str) -> Context:
    """The context that `as_json` wrote.

    Raises:
        PitfallsError: no such kind, or other fields; the line starts with `where`.
    """
    kind = CONTEXTS.get(str(data.get("kind")))
    if kind is None:
        expected = " or ".join(map(repr, CONTEXTS))
        raise PitfallsError(f"{where}: kind: got {data.get('kind')!r}, expected {expected}")
    fields = {name: value for name, value in data.items() if name != "kind"}
    found: Context = checked(kind, fields, where=where)
    return found

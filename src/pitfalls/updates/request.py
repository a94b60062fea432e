"""An edit as a person asks for it: in words, with what to look at once it is made."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from pitfalls.door.text import Source
from pitfalls.door.values import read_json_lines
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Entity, Relation
from pitfalls.shapes import Name, Shape, Template, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Make the model say `target` after `prompt`, filled with `subject`."""

    prompt: str
    """With exactly one `{}`, where the subject goes."""
    subject: str
    target: str
    paraphrases: tuple[str, ...] = ()
    """Other wordings of the prompt. No editor reads them; they tell whether the edit is general."""
    true_objects: tuple[str, ...] = ()
    """Other true objects, which should stay, such as the other children of a parent."""

    @property
    def edit(self) -> Edit:
        """The same as editors take it.

        Raises:
            PitfallsError: an empty subject or target, or a prompt without exactly one `{}`.
        """
        edit = Edit.of(self.prompt, subject=self.subject, target=self.target)
        relation = Relation(self.prompt, self.prompt, self.prompt, self.paraphrases)
        return Edit(edit.subject, relation, Entity(self.target, self.target))

    def __str__(self) -> str:
        return f"{self.prompt.format(self.subject)} → {self.target}"


class RequestShape(Shape):
    """`{"prompt": "The mother of {} is", "subject": "…", "target": "…"}` and two lists."""

    prompt: Template
    subject: Name
    target: Name
    paraphrases: list[Template] = Field(default_factory=list)
    true_objects: list[Name] = Field(default_factory=list)

    def value(self) -> Request:
        """The same as a request."""
        return Request(
            prompt=self.prompt,
            subject=self.subject,
            target=self.target,
            paraphrases=tuple(self.paraphrases),
            true_objects=tuple(self.true_objects),
        )


def read_requests(source: Source) -> list[Request]:
    """The requests of a file of JSON lines, one an object; blank lines are passed over.

    Raises:
        PitfallsError: one line that names the file, the line and the field that is wrong.
    """
    requests = [request_from_dict(row, where=where) for where, row in read_json_lines(source)]
    if not requests:
        raise PitfallsError(
            f"{source}: holds no edits, expected lines such as "
            '{"prompt": "The mother of {} is", "subject": "…", "target": "…"}'
        )
    return requests


def request_from_dict(data: Any, *, where: str) -> Request:
    """A request from a JSON object.

    Raises:
        PitfallsError: it is something else; the line starts with `where`.
    """
    return check(RequestShape, data, where=where).value()

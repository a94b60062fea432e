"""Entities, relations, facts and edits: frozen, hashable values used throughout the package."""

from dataclasses import dataclass

from pitfalls.door.text import text_fault
from pitfalls.errors import PitfallsError


def template_fault(text: str, filling: str = "subject") -> str | None:
    """Fault of a template with a `{}` for the subject (or `filling`), or None."""
    if (found := text.count("{}")) != 1:
        return f"has {found} placeholders, expected exactly one '{{}}' for the {filling}"
    if fault := text_fault(text):
        return fault
    if set("{}") & set(text.replace("{}", "")):
        return f"has a brace beside the '{{}}' for the {filling}, expected none"
    return None


@dataclass(frozen=True, slots=True)
class Entity:
    """A node of the graph, identified by its id."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Relation:
    """An edge type with its prompts."""

    id: str
    label: str
    prompt: str
    """Rewrite prompt: exactly one `{}` for the subject; the object follows the end."""
    paraphrases: tuple[str, ...] = ()
    """Other wordings of `prompt` in the same form. Every probe reads `prompt` and all of these."""
    query: str = ""
    """Question form, kept for the authors' file layout; no metric reads it."""

    def __post_init__(self) -> None:
        for template in (self.prompt, *self.paraphrases):
            if fault := template_fault(template):
                raise PitfallsError(f"relation {self.id}: prompt {template!r} {fault}")

    @property
    def prompts(self) -> tuple[str, ...]:
        """Rewrite prompt and paraphrases, templates with `{}`."""
        return (self.prompt, *self.paraphrases)


@dataclass(frozen=True, slots=True)
class Fact:
    """Fact k = (s, r, o)."""

    subject: Entity
    relation: Relation
    object: Entity


@dataclass(frozen=True, slots=True)
class Edit:
    """Edit e = (s, r, o → o*): make the model say `new_object` instead of `object`."""

    subject: Entity
    relation: Relation
    new_object: Entity
    object: Entity | None = None
    """Object that the edit replaces; None if it is not needed. No editor reads it."""

    @classmethod
    def of(cls, prompt: str, subject: str, target: str) -> "Edit":
        """Make an edit from text: `Edit.of("The mother of {} is", "Ada Lovelace", "Marie Curie")`.

        Raises:
            PitfallsError: an empty subject or target, or a prompt without exactly one `{}`.
        """
        for name, text in (("subject", subject), ("target", target)):
            if not text.strip():
                raise PitfallsError(f"the {name} of the edit {prompt!r} is empty, expected a name")
            if fault := text_fault(text):
                raise PitfallsError(f"the {name} {text!a} of the edit {prompt!a} {fault}")
        relation = Relation(id=prompt, label=prompt, prompt=prompt)
        return cls(Entity(subject, subject), relation, Entity(target, target))

    @property
    def before(self) -> Fact:
        """Fact that the edit replaces.

        Raises:
            PitfallsError: the edit was made without naming its old object.
        """
        if self.object is None:
            raise PitfallsError(f"the edit of {self.subject.label!r} does not name its old object")
        return Fact(self.subject, self.relation, self.object)

    @property
    def after(self) -> Fact:
        """Fact that should hold afterwards, k = (s, r, o*)."""
        return Fact(self.subject, self.relation, self.new_object)

    def __str__(self) -> str:
        return f"{self.relation.prompt.format(self.subject.label)} → {self.new_object.label}"
